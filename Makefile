# make test is all that CI runs. It installs what it needs: see scripts/peers.
GO     ?= go
TOOL   := $(GO) tool -modfile=tools/go.mod
export CGO_ENABLED = 0
export GOFLAGS = -trimpath # for all, so that nothing is compiled twice

.PHONY: test build lint unit race examples selftest browser peers golden bench

test: peers lint unit race examples selftest

build: ## one static binary
	$(GO) build -ldflags='-s -w' -o shakedown ./cmd/shakedown

peers: ## the real programs that the example runs test
	scripts/peers

lint:
	@test -z "$$($(TOOL) gofumpt -l .)" || { echo "gofumpt would change:"; $(TOOL) gofumpt -l .; exit 1; }
	$(GO) vet -tags peers ./...
	$(TOOL) staticcheck -tags peers ./...

# lint has vetted all
unit:
	$(GO) test -vet=off ./...

race:
	CGO_ENABLED=1 $(GO) test -vet=off -race -short ./...

examples: ## the example runs on real programs, against their golden outcomes; programs and a VM in a network; the report in a real browser
	$(GO) test -vet=off -tags peers -count=1 -timeout=30m -p=1 -parallel=6 ./examples/... ./report/...

selftest: build ## the planted-defect matrix
	./shakedown selftest

bench: ## how exact links are, and what they cost; on an idle machine
	$(GO) run ./bench/link

golden: ## write the golden files anew
	$(GO) test ./product ./report ./checks ./cli ./link/profile -update
