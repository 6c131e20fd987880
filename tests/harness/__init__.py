"""What the tests stand on and do not test: the PostgreSQL server, the browser, the text of the laws."""
