"""How messages reach trading partners: by HTTP, or as files of a folder."""
