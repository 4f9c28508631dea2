"""What both apps speak: bodies, tokens, headers, problems, the OpenAPI document's shared parts."""
