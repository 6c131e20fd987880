"""The annexes of a report: what a case shows, as tables of plain values from which page, CSV and JSON are written."""
