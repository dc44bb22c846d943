"""The command line of flight and ground: a verb parses, calls one function of the packages below, prints."""
