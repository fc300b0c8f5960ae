"""The command line; every verb imports its room only when called."""
