module lemnis.dev/test/cluster/tools/pause

go 1.24.0
