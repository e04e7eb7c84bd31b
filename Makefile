# Everything a developer does here is a target; CI does nothing else.
# `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Checkouts owned by somebody else have no readable history: leave it out.
export GOFLAGS := $(strip $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false)
# The binary is pure Go. Only the race detector needs a C compiler.
export CGO_ENABLED := 0

# How long each fuzz target runs in `make check`; `make soak` gives them 10m.
FUZZTIME ?= 1s
SOAKTIME ?= 10m
# How often the power goes in `make check`; `make soak` has twenty times as much.
POWER ?= 3
# More flags for go test, such as TESTFLAGS=-v.
TESTFLAGS ?=

# Tests that are long work of few goroutines: the race detector tells nothing new of
# them and makes them ten times as long.
LONG := ^(TestTailBeyondFloat64|TestBystandersAreNotPrinted|TestNobodyAloneCanFrame|TestOneDrawInTwentyIsOpened|TestFloodedMarkingDesk|TestManyReaders|TestLettersOutliveABrokenLine|TestReadingIsBounded|TestForgedOffice|TestOneWordingForTwoAlarms|TestReleaseKeptBackAlarms|TestDeviceOnAFullDisk|TestThiefsDeviceIsNoneOfHis|TestIssuedAgain)$$

# Packages whose tests are nothing else.
ALONE := ./internal/measure ./internal/marking

STATICCHECK := go tool -modfile=tools/go.mod staticcheck
# What `make check` does, in this order.
PHASES := fmt-check vet lint build test service power figures real fuzz

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: ## install what building and checking need
	@scripts/setup

.PHONY: check
check: ## everything: format, vet, staticcheck, build, tests, real inputs, fuzz
	@scripts/check $(PHASES)

.PHONY: fmt
fmt: ## format the sources
	gofmt -w .

.PHONY: fmt-check
fmt-check: ## fail if a source is not formatted
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then \
		printf 'not formatted, run make fmt:\n%s\n' "$$files"; exit 1; fi

.PHONY: vet
vet: ## go vet
	go vet ./...
	go -C tools vet ./power

.PHONY: lint
lint: ## staticcheck
	$(STATICCHECK) ./...

.PHONY: build
build: ## build everything; the binary goes to bin/chancery
	go build ./...
	@if [ -d cmd/chancery ]; then \
		mkdir -p bin && go build -trimpath -o bin/chancery ./cmd/chancery; fi

.PHONY: test
test: ## tests, properties and vectors, with the race detector where goroutines are
	env -u CHANCERY_PRESS -u CHANCERY_CABLES CGO_ENABLED=1 CHANCERY_RACE=1 go test -race $(TESTFLAGS) $$(scripts/racing)
	env -u CHANCERY_PRESS -u CHANCERY_CABLES go test $(TESTFLAGS) $$(scripts/racing -v)

.PHONY: quick
quick: ## tests without the race detector
	env -u CHANCERY_PRESS -u CHANCERY_CABLES go test $(TESTFLAGS) ./...

.PHONY: service
service: ## whole institutions, as processes: stolen, killed, failed over, their clocks turned
	go test -count=1 -parallel=5 $(TESTFLAGS) -run='^Test(Stolen|Killed|Failover|GivenUp|Clock|OneClock|MarkingDesk)' ./test/service

.PHONY: power
power: build ## loss of power, on a disk that forgets what was not synced (FUSE)
	go -C tools run ./power -bin ../bin/chancery -rounds $(POWER)

.PHONY: figures
figures: ## a twentieth of every statistical table, and that faults put in are noticed
	go test -count=1 $(TESTFLAGS) $(ALONE)
	go test $(TESTFLAGS) -run='$(LONG)' ./trace ./internal/town ./test/service

.PHONY: real
real: ## tests on real articles and cables (CHANCERY_PRESS, CHANCERY_CABLES)
	@scripts/real $(TESTFLAGS)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

.PHONY: soak
soak: ## hours: long statistics, fuzzing and fault runs
	env CHANCERY_SOAK=1 go test -count=1 -timeout=6h $(TESTFLAGS) ./...
	env CGO_ENABLED=1 go test -race -count=20 -timeout=2h -run='Fault|Race' $(TESTFLAGS) ./...
	@$(MAKE) --no-print-directory power POWER=60
	@FUZZGUIDED=1 scripts/fuzz $(SOAKTIME)

.PHONY: measure
measure: build ## the figures that the documents quote
	bin/chancery measure

.PHONY: demo
demo: build ## the story from draft to finding, on made-up people
	bin/chancery demo
