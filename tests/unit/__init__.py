"""Tests of single modules, in the directories of the modules."""
