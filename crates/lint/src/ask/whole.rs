//! Absence over a whole workspace: a package that has one thing and lacks another. Each is reported once.

use super::client::count;
use super::evidence::Evidence;
use super::{Asked, Hit};
use crate::facts::Kind;
use crate::knowledge::{Role, Roles};
use crate::manifest::TargetKind;
use crate::model::{At, FnRef, PackageId};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use serde::Deserialize;

/// What a package must have for the question to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum When {
    /// It calls models.
    Calls,
    /// It serves HTTP and calls or runs models.
    Serves,
    /// It caches replies.
    Caches,
    /// It trains or evaluates models.
    Trains,
}

/// What it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Lack {
    HealthRoute,
    Monitoring,
    Alerting,
    CostTracking,
    CacheMetric,
    MockedTest,
    IntegrationTest,
    LoadTest,
    CostTest,
    Tracking,
}

impl Asked<'_, '_> {
    pub(super) fn whole(&self, when: When, lacks: Lack) -> Vec<Hit> {
        let Some((package, number)) = self.concerned(when) else { return Vec::new() };
        // A model that runs here has no bill to be tracked.
        let free = lacks == Lack::CostTracking && number == 0;
        if free || self.has(lacks) {
            return Vec::new();
        }
        let name = self.w.packages.get(package).and_then(|m| m.name.clone()).unwrap_or_default();
        vec![Hit::package(package).with("package", name).with("calls", count(number, "model call"))]
    }

    /// The package the question is about: the one with the most calls.
    fn concerned(&self, when: When) -> Option<(PackageId, usize)> {
        let mut per: HashMap<PackageId, usize> = HashMap::default();
        for call in self.live() {
            if let Some(package) = self.w.package(call.at.file) {
                *per.entry(package).or_default() += 1;
            }
        }
        let most =
            per.into_iter().max_by_key(|(package, calls)| (*calls, std::cmp::Reverse(*package)));
        match when {
            When::Calls => most,
            When::Serves => {
                let server = self.server().filter(|_| self.is_program())?;
                let loads = self
                    .first_load()
                    .and_then(|at| self.w.package(at.file))
                    .map(|package| (package, 0));
                most.or(loads.filter(|_| self.runs_models())).map(|(_, calls)| (server, calls))
            }
            When::Caches => {
                let cache = self
                    .playing([Role::CacheRead, Role::CacheWrite].into_iter().collect())
                    .next()?;
                most.filter(|(package, _)| self.w.package(cache.file) == Some(*package))
            }
            When::Trains => {
                let site = self.playing(Role::Training.into()).next()?;
                self.w.package(site.file).map(|package| (package, 0))
            }
        }
    }

    /// The package that serves HTTP, where a route leads to a model: a program that only waits for a sign-in's callback
    /// is no service.
    fn server(&self) -> Option<PackageId> {
        let sites: Vec<At> =
            self.playing([Role::Serve, Role::Route].into_iter().collect()).collect();
        let routed = sites.iter().find_map(|at| self.w.package(at.file));
        let marked = || {
            let mut marked = self.handlers.iter().filter(|of| self.serves_by_attribute(**of));
            marked.find_map(|of| self.w.package(of.file))
        };
        let server = routed.or_else(marked)?;
        let around = sites.iter().filter_map(|at| self.w.function_at(*at));
        let ends = self.model_functions();
        let mut starts = around.chain(self.handlers.iter().copied());
        starts.any(|of| !self.graph.likely_reach(of, 10).is_disjoint(&ends)).then_some(server)
    }

    /// Whether anything here is a program: a library's health and metrics are those of the program it becomes part of.
    fn is_program(&self) -> bool {
        (0..self.w.packages.len()).any(|package| self.w.has_program(package))
    }

    /// Functions that call, load or run a model.
    fn model_functions(&self) -> HashSet<FnRef> {
        let runs: Roles = [Role::ModelLoad, Role::Inference].into_iter().collect();
        let local = self.playing(runs).filter_map(|at| self.w.function_at(at));
        self.live().map(|call| call.function).chain(local).collect()
    }

    fn serves_by_attribute(&self, of: FnRef) -> bool {
        let servers = ["actix-web", "rocket", "worker", "poem", "salvo"];
        servers.iter().any(|server| self.w.depends_on(of.file, server))
    }

    fn has(&self, lacks: Lack) -> bool {
        match lacks {
            Lack::HealthRoute => {
                self.says_route(&["health", "ready", "live", "ping", "status", "alive"])
            }
            Lack::Monitoring => {
                self.depends(Role::Exporter)
                    || self.says_route(&["metrics"])
                    || self.playing(Role::Exporter.into()).next().is_some()
            }
            Lack::Alerting => {
                self.depends(Role::Alert)
                    || self.playing(Role::Alert.into()).next().is_some()
                    || self.names(
                        &["alert", "pagerduty", "opsgenie", "slack_webhook", "webhook"],
                        false,
                    )
            }
            Lack::CostTracking => self.names(
                &[
                    "usage",
                    "cost",
                    "total_tokens",
                    "prompt_tokens",
                    "completion_tokens",
                    "input_tokens",
                    "output_tokens",
                    "token_count",
                    "spend",
                    "billing",
                ],
                false,
            ),
            Lack::CacheMetric => {
                self.names(
                    &["cache_hit", "hit_rate", "hits", "cache_miss", "misses", "hit_ratio"],
                    false,
                ) || self.texts(&[
                    "cache_hit",
                    "cache hit",
                    "cache miss",
                    "cache_miss",
                    "hits",
                    "Cache hit",
                ])
            }
            Lack::MockedTest => {
                self.depends(Role::Mock)
                    || self.tests_with(&[
                        "mock",
                        "fake",
                        "stub",
                        "dummy",
                        "fixture",
                        "replay",
                        "canned",
                        "local_addr",
                        "testserver",
                        "test_server",
                    ])
            }
            Lack::IntegrationTest => {
                self.w
                    .files
                    .iter()
                    .any(|file| file.path.contains("tests/") || file.path.starts_with("tests/"))
                    || self.names_tests()
                    || self.ignored_tests()
            }
            Lack::LoadTest => {
                self.depends(Role::LoadTest)
                    || self.w.files.iter().any(|file| {
                        ["benches/", "load", "bench"].iter().any(|word| file.path.contains(word))
                    })
            }
            Lack::CostTest => self.tests_with(&["usage", "cost", "tokens", "price"]),
            Lack::Tracking => {
                self.playing(Role::TrackerStart.into()).next().is_some()
                    || self.depends(Role::TrackerStart)
                    || self.texts(&["mlflow", "wandb", "tensorboard"])
                    || self.names(&["tensorboard", "mlflow", "wandb"], false)
            }
        }
    }

    fn depends(&self, role: Role) -> bool {
        let dependencies = self.w.packages.iter().flat_map(|package| &package.dependencies);
        dependencies
            .filter_map(|d| self.w.knowledge.package(&d.package))
            .any(|known| known.present.has(role))
    }

    /// Whether a route, by a call's literal or an attribute, is named so.
    fn says_route(&self, words: &[&str]) -> bool {
        let named = |text: &str| {
            text.starts_with('/')
                && words.iter().any(|word| text.to_ascii_lowercase().contains(word))
        };
        let literal = self.w.nodes().any(|at| match self.w.kind(at) {
            Kind::Str(text) => {
                named(text)
                    || words.iter().any(|word| **text == **word || **text == *format!("{word}z"))
            }
            _ => false,
        });
        let attribute = || {
            self.w
                .files
                .iter()
                .flat_map(|file| &file.fns)
                .flat_map(|of| &of.attrs)
                .any(|attr| attr.text.split('"').any(named))
        };
        let function = || {
            self.w.functions().any(|of| {
                self.w.function(of).is_some_and(|fact| {
                    words.iter().any(|word| {
                        fact.name == *word
                            || fact.name == format!("{word}_check")
                            || fact.name == format!("{word}z")
                    })
                })
            })
        };
        literal || attribute() || function()
    }

    fn texts(&self, words: &[&str]) -> bool {
        self.w.nodes().any(|at| matches!(self.w.kind(at), Kind::Str(text) if words.iter().any(|word| text.contains(word))))
    }

    /// Whether any name in the code speaks of it.
    fn names(&self, words: &[&str], tests: bool) -> bool {
        let evidence = Evidence::of(Roles::default(), words.iter().copied());
        self.w.nodes().any(|at| self.shows(at, &evidence) && (!tests || self.w.is_test(at)))
            || (!tests
                && self.w.files.iter().flat_map(|file| &file.structs).any(|of| {
                    of.fields.iter().any(|f| evidence.named(&f.name)) || evidence.named(&of.name)
                }))
    }

    fn tests_with(&self, words: &[&str]) -> bool {
        self.names(words, true)
            || self.w.functions().any(|of| {
                self.w.is_test_fn(of)
                    && self.w.function(of).is_some_and(|fact| {
                        words.iter().any(|word| fact.name.to_ascii_lowercase().contains(word))
                    })
            })
    }

    /// Whether a manifest names an integration test: a published package may leave the file itself out.
    fn names_tests(&self) -> bool {
        let targets = self.w.packages.iter().flat_map(|package| &package.targets);
        targets.into_iter().any(|of| of.kind == TargetKind::TestLike && of.path.contains("tests/"))
    }

    fn ignored_tests(&self) -> bool {
        self.w.files.iter().flat_map(|file| &file.fns).any(|of| of.test && of.has_attr("ignore"))
    }
}
