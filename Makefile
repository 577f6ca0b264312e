# The front door: a few lines over meson. `make` alone builds build/jabiru.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
SECONDS ?= 60
STRIDE ?= 1
PYTHON = /usr/bin/python3

.PHONY: all demo test soak sim sim-cuts bench bench-login fuzz install lengths format clean

all:
	@tools/install-packages --check build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) --prefix=$(PREFIX) --libdir=lib
	@ninja -C $(BUILD)

demo:
	@tools/install-packages demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tools/demo.py $(BUILD)/jabiru

test:
	@tools/install-packages test
	@$(PYTHON) tests/run.py

soak:
	@tools/install-packages test
	@$(PYTHON) tests/run.py --soak

# make sim SEED=7 replays one run; make sim RUNS=1000000 makes many.
sim:
	@tools/install-packages test
	@$(PYTHON) tests/run.py --sim --jobs 2 $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS),--trace) $(if $(STORE),--store $(STORE)) $(if $(CUT),--cut $(CUT))

sim-cuts:
	@tools/install-packages test
	@$(PYTHON) tests/run.py --sim --cuts --stride $(STRIDE) --jobs 2

bench:
	@tools/install-packages bench
	@$(PYTHON) bench/run.py

bench-login:
	@tools/install-packages bench
	@$(PYTHON) bench/run.py 'Logging in'

fuzz:
	@tools/install-packages test
	@FUZZ_SEED=0 FUZZ_SECONDS=$(SECONDS) $(PYTHON) tests/run.py --fuzz

install: all
	@meson configure $(BUILD) -Dprefix=$(PREFIX) -Dlibdir=lib
	@ninja -C $(BUILD)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

lengths:
	@$(PYTHON) tools/lengths.py

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean:
	rm -rf build build-test build-fuzz build-bench
