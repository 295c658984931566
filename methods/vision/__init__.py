"""Methods that were made for vision transformers; some of them make sense for text as well."""
