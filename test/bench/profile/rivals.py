"""What data scientists run on a table. Prints seconds, seconds of CPU and the greatest resident memory in MB as JSON."""
import json
import resource
import sys
import time

kind, path = sys.argv[1:]
# One that needs more fails by itself, and not all that runs beside it.
resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
# The clock starts after the imports, as it does for ours.
if kind == "pandas":
    import numpy
    import pandas

    started = time.perf_counter()
    frame = pandas.read_csv(path) if path.endswith(".csv") else pandas.read_parquet(path)
    frame.describe(include="all")
    for name in frame.columns:
        if pandas.api.types.is_bool_dtype(frame[name]) or not pandas.api.types.is_numeric_dtype(frame[name]):
            frame[name].value_counts().head(20)
        else:
            numpy.histogram(frame[name].dropna(), bins=20)
else:
    import pandas
    from ydata_profiling import ProfileReport

    started = time.perf_counter()
    frame = pandas.read_csv(path) if path.endswith(".csv") else pandas.read_parquet(path)
    ProfileReport(frame, minimal=True, progress_bar=False).to_json()
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "processor": time.process_time(), "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
