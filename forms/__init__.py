"""Values, money, dates, forms and the one expression language. No I/O; imports nothing of ours."""
