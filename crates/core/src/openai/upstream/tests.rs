use proptest::prelude::*;

use super::*;

const NOW: UnixMs = UnixMs(1_700_000_000_000);

fn failure(status: u16, body: &str) -> UpstreamFailure {
    let reply = FailedReply {
        status,
        content_type: Some("application/json"),
        retry_after: None,
        retry_after_ms: None,
        body: body.as_bytes(),
    };
    read_failure(&reply, &["the-gateways-secret"], NOW)
}

#[test]
fn the_status_decides_where_the_body_says_nothing() {
    for (status, code) in [
        (400, Code::UpstreamRejected),
        (401, Code::UpstreamAuth),
        (402, Code::UpstreamAuth),
        (403, Code::UpstreamAuth),
        (404, Code::UpstreamError),
        (408, Code::UpstreamTimeout),
        (409, Code::UpstreamError),
        (413, Code::UpstreamRejected),
        (415, Code::UpstreamRejected),
        (422, Code::UpstreamRejected),
        (429, Code::UpstreamRateLimited),
        (500, Code::UpstreamError),
        (503, Code::UpstreamError),
        (504, Code::UpstreamTimeout),
        (529, Code::UpstreamError),
        (204, Code::UpstreamInvalid),
        (302, Code::UpstreamInvalid),
        (0, Code::UpstreamInvalid),
        (999, Code::UpstreamInvalid),
    ] {
        assert_eq!(failure(status, "").code, code, "{status}");
    }
}

#[test]
fn a_context_that_is_too_long_is_recognised_whoever_says_so() {
    #[rustfmt::skip]
    let cases = [
        // OpenAI
        (400, r#"{"error":{"message":"This model's maximum context length is 4097 tokens. However, your messages resulted in 4294 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#),
        (400, r#"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input","code":null}}"#),
        // vLLM, both shapes
        (400, r#"{"object":"error","message":"This model's maximum context length is 2048 tokens. However, you requested 2148 tokens.","type":"BadRequestError","param":null,"code":400}"#),
        (400, r#"{"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096.","type":"BadRequestError","param":null,"code":400}}"#),
        // llama.cpp, by type and by phrase
        (400, r#"{"error":{"code":400,"message":"request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4390,"n_ctx":4096}}"#),
        (500, r#"{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}"#),
        // Mistral
        (400, r#"{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","param":null,"code":"3051"}"#),
        // Groq
        (413, r#"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#),
        // SGLang, TGI
        (400, r#"{"object":"error","message":"The input (9000 tokens) is longer than the model's context length (8192 tokens).","type":"BadRequestError","code":400}"#),
        (422, r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3000","error_type":"validation"}"#),
    ];
    for (status, body) in cases {
        let failure = failure(status, body);
        assert!(failure.is_context_length(), "{body}: {failure:?}");
    }
    let unrelated = r#"{"error":{"message":"maximum context length","code":"x"}}"#;
    assert!(!failure(503, unrelated).is_context_length());
}

#[test]
fn a_content_filter_is_recognised_whoever_says_so() {
    #[rustfmt::skip]
    let cases = [
        // Azure
        (400, r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{}}}}"#),
        (400, r#"{"error":{"message":"x","code":null,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#),
        // OpenAI
        (400, r#"{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","type":"invalid_request_error","code":"invalid_prompt"}}"#),
        // DeepSeek
        (400, r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","code":"invalid_request_error"}}"#),
    ];
    for (status, body) in cases {
        assert!(failure(status, body).is_content_filter(), "{body}");
    }
}

#[test]
fn other_bodies_sharpen_the_status_too() {
    let gemini = r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#;
    assert_eq!(failure(400, gemini).code, Code::UpstreamAuth);
    let groq = r#"{"error":{"message":"Request too large on tokens per minute (TPM)","type":"tokens","code":"rate_limit_exceeded"}}"#;
    assert_eq!(failure(413, groq).code, Code::UpstreamRateLimited);
    let broke = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    assert!(failure(429, broke).quota_exhausted);
    assert!(!failure(429, groq).quota_exhausted);
    assert!(failure(402, "").quota_exhausted);
}

#[test]
fn the_providers_words_reach_the_caller_without_keys() {
    for (status, body, message) in [
        (
            400,
            r#"{"error":{"message":"'foo' is not a valid role"}}"#,
            "the provider refused the request: 'foo' is not a valid role",
        ),
        (
            422,
            r#"{"detail":[{"type":"missing","loc":["body","x"],"msg":"Field required"},{"msg":"Too long"}]}"#,
            "the provider refused the request: Field required; Too long",
        ),
        (
            400,
            r#"{"object":"error","message":{"detail":[{"msg":"Extra inputs are not permitted"}]}}"#,
            "the provider refused the request: Extra inputs are not permitted",
        ),
        (429, "slow down", "the provider is limiting the gateway: slow down"),
        (502, "<html><body>Bad gateway</body></html>", "the provider failed (HTTP 502)"),
        (500, "{\"error\":{\"mess", "the provider failed (HTTP 500)"),
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abcdefgh12345678"}}"#,
            "the provider refused the gateway's own key (HTTP 401)",
        ),
        (
            500,
            r#"{"error":{"message":"cannot use the-gateways-secret or sk-abcdefgh12345678"}}"#,
            "the provider failed: cannot use *** or sk-***",
        ),
    ] {
        assert_eq!(failure(status, body).message, message, "{body}");
    }
}

#[test]
fn a_long_text_is_cut() {
    let body = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "é ".repeat(2000));
    assert!(failure(400, &body).message.chars().count() < 1100);
    let endless = "x".repeat(10_000_000);
    assert_eq!(failure(500, &endless).message, "the provider failed (HTTP 500)");
}

#[test]
fn the_wait_goes_with_the_refusal() {
    let reply = FailedReply {
        status: 429,
        content_type: None,
        retry_after: Some("7"),
        retry_after_ms: None,
        body: b"",
    };
    let refusal = read_failure(&reply, &[], NOW).refusal();
    assert_eq!(refusal.code, Code::UpstreamRateLimited);
    assert_eq!(refusal.retry_after, Some(DurationMs(7000)));
}

proptest! {
    #[test]
    fn a_secret_in_any_body_is_not_told(
        status in 0_u16..700,
        before: String,
        after: String,
        shape in prop::sample::select(vec!["message", "detail", "error"]),
    ) {
        let text = format!("{before}the-gateways-secret{after}");
        let body = serde_json::json!({ "error": { shape: text } }).to_string();
        prop_assert!(!failure(status, &body).message.contains("the-gateways-secret"));
        prop_assert!(!failure(status, &text).message.contains("the-gateways-secret"));
    }

    #[test]
    fn no_body_brings_it_down(status: u16, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let reply = FailedReply {
            status,
            content_type: None,
            retry_after: None,
            retry_after_ms: None,
            body: &body,
        };
        read_failure(&reply, &[""], NOW);
    }
}
