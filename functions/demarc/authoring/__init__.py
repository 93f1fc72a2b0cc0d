"""The matrix as people write it: YAML -> validated -> checked -> compiled to the JSON that the responders read.

Only the command line and the synthesis come here; nothing of it is in the Lambda bundle. `source` reads YAML and keeps
the lines, `schema` says what may be written, `frameworks` the same of requirements, `written` holds what was, `lint`
finds what cannot be meant, `translate` turns rows into the core's values and `compile` makes the JSON. `obligations`
does both for requirements, of which nothing is compiled. `documents` generates schemas and pages.
"""
