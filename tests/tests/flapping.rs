//! A provider that goes down and comes back, again and again, under callers who never stop.
//!
//! A minute of it takes seconds here, because the breaker's rest is shorter; how long each outage
//! lasts is counted in calls.

use std::{process::Command, time::Duration};

use serde_json::json;
use tollhouse_tests::{
    provider::{Provider, completion, json_reply},
    workerd::{Options, Workerd, root},
};

const CALLERS: usize = 4;
/// How long a breaker rests.
const REST: Duration = Duration::from_millis(400);
/// How many calls fail in an outage: those that callers had under way together, and four probes.
const DOWN: usize = CALLERS + 4;
/// How many calls succeed between outages.
const UP: usize = 25;
const OUTAGES: usize = 3;

/// Whether the primary fails its call of this number.
const fn fails(call: usize) -> bool {
    call < OUTAGES * (DOWN + UP) && call % (DOWN + UP) < DOWN
}

#[test]
fn a_flapping_provider_is_nearly_untouched_while_down_and_back_within_one_rest() {
    let fine = || json_reply(200, &[], &completion("It jumps."));
    let primary =
        Provider::start(
            move |call, _| if fails(call) { json_reply(503, &[], &json!({})) } else { fine() },
        )
        .unwrap();
    let spare = Provider::playing(vec![fine()]).unwrap();
    let gateway = gateway(&primary, &spare);
    let told = call_until_well(&gateway);
    assert!(
        told.iter().all(|who| who == "p0" || who == "p1"),
        "no caller saw an outage: {:?}",
        told.iter().find(|who| who.starts_with(|c| c != 'p'))
    );

    let seen = primary.seen();
    let failed = (0..seen.len()).filter(|call| fails(*call)).count();
    assert_eq!(failed, OUTAGES * DOWN);
    let by_spare = spare.seen().len();
    assert!(by_spare >= 3 * failed, "{failed} calls met the outage, {by_spare} went elsewhere");
    for outage in 0..OUTAGES {
        let first = outage * (DOWN + UP);
        // Between the probes, and from the last one to the first call that is well.
        for call in first + CALLERS..first + DOWN {
            let pause = seen[call + 1].at.saturating_sub(seen[call].at);
            assert!(pause >= REST * 9 / 10, "probe {call} was followed after {pause:?}");
            assert!(pause < REST + Duration::from_secs(2), "{pause:?} after probe {call}");
        }
    }
}

fn gateway(primary: &Provider, spare: &Provider) -> Workerd {
    let config = format!(
        "version = 1\n[auth]\nmode = \"open\"\n\
         [breaker]\nfailures = 3\nopen_ms = {}\n\
         [providers.p0]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [providers.p1]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.m]\ntargets = [{{ provider = \"p0\", model = \"a\" }}, {{ provider = \"p1\", model = \"b\" }}]\n\
         cache = {{ enabled = false }}\n",
        REST.as_millis(),
        primary.base_url(),
        spare.base_url()
    );
    Workerd::start(&Options::with_config(config)).unwrap()
}

fn call_until_well(gateway: &Workerd) -> Vec<String> {
    let root = root().unwrap();
    let output = Command::new(root.join(".venv/bin/python"))
        .arg(root.join("tests/sdk/flapping.py"))
        .env("TOLLHOUSE_URL", gateway.url())
        .env("CALLERS", CALLERS.to_string())
        .env("WANTED", (OUTAGES * UP + 20).to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
