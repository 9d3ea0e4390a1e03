module lemnis.dev/test/cluster/tools/crds

go 1.25.0

require (
	github.com/fluxcd/source-controller v1.7.0
	github.com/kedacore/keda/v2 v2.16.1
	github.com/prometheus-operator/prometheus-operator v0.87.1
	sigs.k8s.io/gateway-api v1.4.1
	sigs.k8s.io/kueue v0.17.0
)
