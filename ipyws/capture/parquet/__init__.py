"""Captures as tables that other programs query: Apache Parquet, by pyarrow."""
