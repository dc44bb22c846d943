"""The command line of flight and ground: a verb parses, calls one function of the rooms below, prints."""
