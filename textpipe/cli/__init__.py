"""The command line: one file a verb, each turning flags into a configuration and calling the library."""
