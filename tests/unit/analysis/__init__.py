"""Tests of slabtui.analysis."""
