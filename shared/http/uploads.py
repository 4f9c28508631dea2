"""Uploads: a body of multipart/form-data (RFC 7578) that holds one file, parsed by each framework's own parser."""

FORM = "multipart/form-data"
UPLOAD_MAX_BYTES = 10 * 1024 * 1024
UPLOAD_MAX = "10 MiB"
