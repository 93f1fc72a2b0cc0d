"""One module per Lambda entry point; the only code that knows Lambda. Parse, call, answer."""
