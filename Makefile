# The project's commands. `make` alone lists them.
# All they need is Python 3.11 or newer (PYTHON=… chooses one) and make: each command
# sets up its own environment at the first call and returns at once at the next.

.DEFAULT_GOAL := help
.PHONY: help book serve test lint run timings gpu bench learn leaderboard colab lock address clean .venv .venv-book .venv-colab

PORT ?= 8000
CHAPTER ?= $(wildcard book/*.ipynb book/*/*.ipynb)
python := .venv/bin/python
export PYTHON
# One thread is faster and steadier than two on the small tensors of a tutorial.
export OMP_NUM_THREADS ?= 1

##@ Read
book: .venv-book ## build the book, fresh and strictly, into _build/html
	@tools/book.sh

serve: .venv-book ## show the built book (PORT=8000)
	@test -f _build/html/index.html || $(MAKE) --no-print-directory book
	@.venv-book/bin/python -m tools.serve $(PORT)

##@ Check
test: .venv ## everything: lint, tests, the book in a browser, every notebook
	@tools/test.sh

lint: .venv ## style and formatting alone (seconds)
	@$(python) -m ruff check && $(python) -m ruff format --check

gpu: .venv ## the checks of a machine with a GPU
	@tools/gpu.sh

colab: .venv .venv-colab ## the chapters alone in an empty folder, with Colab's versions
	@$(python) -m pytest tests/colab

bench: .venv ## our speed beside other libraries', in one run; writes book/reference/benchmarks.md
	@$(python) -m benchmarks.page

learn: .venv ## how long Streets-1 takes to learn, beside a library (an hour); writes book/reference/learning.md
	@$(python) -m benchmarks.learning

leaderboard: .venv ## train and judge the book's small networks alike (over an hour; goes on where it was)
	@$(python) -m benchmarks.leaderboard

##@ Write
run: .venv ## execute chapters in place: make run CHAPTER=book/foundations/convolution.ipynb
	@$(python) -m tools.run_chapters $(CHAPTER)

timings: .venv ## measure every chapter and write book/reference/timings.md
	@$(python) -m tools.run_chapters --timings $(wildcard book/*.ipynb book/*/*.ipynb)

lock: .venv ## resolve requirements*.txt again, to the newest versions
	@tools/lock.sh

address: .venv ## change the public address everywhere: make address URL=https://github.com/you/repo
	@$(python) -m tools.address "$(URL)" $(if $(SITE),--site "$(SITE)")

clean: ## remove what was built (CLEAN=all: the environments too)
	@rm -rf _build dist .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
	@test "$(CLEAN)" != all || rm -rf .venv .venv-book .venv-colab

help: ## this list
	@tools/help.sh Makefile

# The environments: the script compares what they were made from, so they are always checked.
.venv:
	@tools/environment.sh .venv requirements.txt --with-package
.venv-book:
	@tools/environment.sh .venv-book requirements-book.txt
.venv-colab:
	@tools/environment.sh .venv-colab tests/colab/requirements.txt --only 3.13
