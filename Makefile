# Everything that is done to labctl. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
TIMEOUT     ?= 80m

.PHONY: help
help: ## list what there is to make
	@echo "labctl: learn to rebuild servers instead of repairing them"; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: start
start: go setup build ## set up this machine, build labctl, and start drift-lab in ./drift-lab
	bin/labctl start drift-lab

.PHONY: setup
setup: ## make sure that a Docker Engine answers, and that git and a static busybox are there
	@.ci/setup packages engine

.PHONY: build
build: go ## build bin/labctl
	CGO_ENABLED=0 go build -trimpath -ldflags "-X main.linkedVersion=$(VERSION)" -o bin/labctl ./cmd/labctl

.PHONY: test
test: go packages engine lint ## all that CI runs: lint, unit tests, and the same on a real engine
	go test -race -count=1 -timeout $(TIMEOUT) ./...
	@echo; echo "make test: all passed, on Docker Engine $$(docker version --format '{{.Server.Version}}')."

.PHONY: lint
lint: go ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l cmd labs runner scenarios); if [ -n "$$unformatted" ]; then echo "not as gofmt would have it:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...

.PHONY: bench
bench: go engine ## compare start, check and stop with a replay of their engine requests
	go test -count=1 -timeout 30m -run '^$$' -bench . -benchtime 1x ./cmd/labctl

.PHONY: clean
clean: ## remove what was built
	rm -rf bin

# What the others stand on.

.PHONY: go
go:
	@command -v go >/dev/null || { echo "make: Go is not installed: install 1.26 or later from https://go.dev/dl and put it in PATH" >&2; exit 1; }

.PHONY: engine
engine:
	@.ci/setup answers

.PHONY: packages
packages:
	@.ci/setup packages compiler compose
