"""A Feast repository in the working folder, with the table in an SQLite online store: repository.py CSV ROWS."""
import sys
from datetime import datetime, timedelta, timezone

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64

with open("feature_store.yaml", "w") as file:
    file.write(
        "project: bench\nprovider: local\nregistry: registry.db\nentity_key_serialization_version: 3\n"
        "online_store:\n  type: sqlite\n  path: online.db\n"
    )
frame = pd.read_csv(sys.argv[1], nrows=int(sys.argv[2]))
frame["seen"] = datetime.now(timezone.utc)
frame.to_parquet("data.parquet")
names = [name for name in frame.columns if name.startswith("f")]
customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.INT64)
view = FeatureView(
    name="customers",
    entities=[customer],
    ttl=timedelta(days=365),
    schema=[Field(name="customer", dtype=Int64)]
    + [Field(name=name, dtype=Int64 if frame[name].dtype == "int64" else Float64) for name in names],
    source=FileSource(path="data.parquet", timestamp_field="seen"),
)
store = FeatureStore(".")
store.apply([customer, view])
store.write_to_online_store("customers", frame)
