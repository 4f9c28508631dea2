"""The raw samples of a run: `store` keeps them as Parquet, `facts` and `outcome` are records of a single slice."""
