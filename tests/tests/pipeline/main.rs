//! The pipeline in the fake world: outages, months and unlucky moments, natively and in no time.

mod cache;
mod experiments;
mod failure;
mod limits;
mod oip;
mod pools;
mod recovery;

use std::rc::Rc;

use tollhouse_core::pipeline::Gate;
use tollhouse_tests::fake::World;

/// An isolate of a gateway open to all, with the providers `a` and `b` at hosts of these names and
/// `models` beside them.
fn isolate(world: &World, models: &str) -> Rc<Gate> {
    world.isolate(&format!("{OPEN}{models}"))
}

const OPEN: &str = r#"
version = 1
[auth]
mode = "open"
[providers.a]
kind = "openai"
base_url = "http://a/v1"
placement = "gpu"
[providers.b]
kind = "openai"
base_url = "http://b/v1"
placement = "gpu"
"#;

/// A model `m` that asks `a`, then `b`; `more` are further lines.
fn both(more: &str) -> String {
    model(r#"{ provider = "a", model = "x" }, { provider = "b", model = "y" }"#, more)
}

fn model(targets: &str, more: &str) -> String {
    format!("[models.m]\ncache = {{ enabled = false }}\ntargets = [{targets}]\n{more}\n")
}
