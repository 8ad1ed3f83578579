//! Each limit is crossed by itself, and no model moves to the edge by growing.

use proptest::prelude::*;

use super::*;

fn light() -> Profile {
    Profile {
        format: Format::Onnx,
        parameters: 400_000,
        bytes: 1_600_000,
        macs_per_token: 459_000,
        lookups_per_token: 0,
        window: 128,
        peak_memory: 4_000_000,
        unsupported: Vec::new(),
        refused: None,
    }
}

fn placed(profile: &Profile) -> Decision {
    place(profile, &Limits::WORKERS, &Calibration::WORKERD)
}

#[test]
fn the_transformer_that_was_measured_is_estimated_at_what_it_took() {
    let decision = placed(&light());
    assert_eq!(decision.verdict, Verdict::Edge);
    assert!((decision.edge_ms - 7.3).abs() < 0.1, "{}", decision.edge_ms);
}

#[test]
fn a_sentence_encoder_that_took_150_ms_and_160_mb_goes_to_the_gpu() {
    let encoder = Profile {
        parameters: 22_700_000,
        bytes: 90_900_000,
        macs_per_token: 11_200_000,
        peak_memory: 160_000_000,
        ..light()
    };
    let decision = placed(&encoder);
    assert_eq!(decision.verdict, Verdict::Gpu);
    let codes: Vec<_> = decision.reasons.iter().map(Reason::code).collect();
    assert_eq!(codes, ["memory", "bytes", "cpu"]);
    assert!((150.0..190.0).contains(&decision.edge_ms), "{}", decision.edge_ms);
}

#[test]
fn each_limit_alone_sends_a_model_to_the_gpu() {
    let limits = Limits::WORKERS;
    for (profile, code) in [
        (Profile { peak_memory: limits.memory + 1, ..light() }, "memory"),
        (Profile { bytes: limits.bytes + 1, ..light() }, "bytes"),
        (Profile { macs_per_token: 1_000_000, ..light() }, "cpu"),
        (Profile { lookups_per_token: 1_000, ..light() }, "cpu"),
        (Profile { unsupported: vec!["Loop".into()], ..light() }, "operators"),
        (Profile { refused: Some("opset 7".into()), ..light() }, "refused"),
        (Profile { format: Format::Gguf, ..light() }, "format"),
    ] {
        let decision = placed(&profile);
        assert_eq!(decision.verdict, Verdict::Gpu, "{code}");
        let codes: Vec<_> = decision.reasons.iter().map(Reason::code).collect();
        assert_eq!(codes, [code]);
    }
}

#[test]
fn what_stands_exactly_at_a_limit_fits() {
    let (memory, bytes) = (Limits::WORKERS.memory, Limits::WORKERS.bytes);
    let decision = placed(&Profile { peak_memory: memory, bytes, ..light() });
    assert_eq!(decision.verdict, Verdict::Edge);
}

#[test]
fn reasons_name_what_was_found_and_the_limit() {
    let heavy = Profile { peak_memory: 160_000_000, macs_per_token: 11_200_000, ..light() };
    let words: Vec<String> = placed(&heavy).reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "it takes 160.0 MB of memory, an isolate has 64.0 MB for a model",
            "a full window takes 179.2 ms at the edge, the limit is 10",
        ]
    );
}

#[test]
fn a_calibration_of_no_speed_places_nothing_at_the_edge() {
    let still = Calibration { macs_per_ms: 0.0, lookups_per_ms: 0.0 };
    for profile in [light(), Profile { macs_per_token: 0, ..light() }] {
        assert_eq!(place(&profile, &Limits::WORKERS, &still).verdict, Verdict::Gpu);
    }
}

proptest! {
    #[test]
    fn a_model_that_grows_never_moves_to_the_edge(
        memory in 0_u64..200_000_000, bytes in 0_u64..200_000_000, macs in 0_u64..2_000_000,
        more in (0_u64..u64::MAX / 2, 0_u64..u64::MAX / 2, 0_u64..u64::MAX / 2),
    ) {
        let profile = Profile { peak_memory: memory, bytes, macs_per_token: macs, ..light() };
        let larger = Profile {
            peak_memory: memory + more.0,
            bytes: bytes + more.1,
            macs_per_token: macs + more.2,
            ..light()
        };
        if placed(&larger).verdict == Verdict::Edge {
            prop_assert_eq!(placed(&profile).verdict, Verdict::Edge);
        }
    }

    #[test]
    fn a_slower_machine_never_takes_less_time(speed in 1.0_f64..1e9, slower in 1.0_f64..100.0) {
        let fast = Calibration::from_native(speed, speed);
        let slow = Calibration::from_native(speed / slower, speed / slower);
        prop_assert!(fast.edge_ms(&light()) <= slow.edge_ms(&light()));
    }
}
