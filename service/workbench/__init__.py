"""The pages in a browser, on the same uses as the API; a page shows, and decides nothing."""
