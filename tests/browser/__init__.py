"""Tests that sit in front of the pages as a person does, in headless Chromium."""
