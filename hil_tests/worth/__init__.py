"""Whether a form of coding is worth its joules on a radio: figures of a report and a link, nothing measured."""
