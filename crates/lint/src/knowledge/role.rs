//! The closed set of roles a path can play, and sets of them.

use serde::Deserialize;

/// What something does for, or to, a model call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub(crate) enum Role {
    /// Sends a request to a hosted model and waits for the reply.
    ModelCall,
    /// Asks a hosted model for an embedding.
    EmbeddingCall,
    /// Opens a stream of model output.
    StreamCall,
    /// Makes a client.
    Client,
    /// Begins to build a client.
    ClientBuilder,
    /// Takes another client to send through.
    WrapsClient,
    /// Puts a layer around what a client sends: what the layer does, the client does.
    Layers,
    /// Begins an HTTP request to a URL.
    HttpRequest,
    /// Sends an HTTP request.
    HttpSend,
    /// Gives an HTTP request its body.
    HttpBody,
    /// Sets a header.
    Header,
    /// Sets a bearer token.
    Bearer,
    /// Bounds how long a request may take.
    Timeout,
    /// Bounds how long the future inside it may take.
    TimeoutScope,
    /// Bounds only the connection.
    ConnectTimeout,
    /// Makes a client retry.
    Retry,
    /// Retries the operation inside it.
    RetryScope,
    /// A delay that grows.
    Backoff,
    /// A delay that stays the same.
    ConstantBackoff,
    /// Bounds a number of attempts or a total time.
    Bounded,
    /// Removes the bound on attempts or total time.
    Unbounded,
    /// Decides which errors are retried.
    ErrorFilter,
    /// Waits for or asks a rate limiter.
    RateLimit,
    /// Bounds how many calls run at once.
    ConcurrencyLimit,
    /// A cache.
    Cache,
    /// Reads a cache.
    CacheRead,
    /// Writes a cache.
    CacheWrite,
    /// Gives entries an expiry.
    CacheTtl,
    /// Bounds a cache's size.
    CacheBound,
    /// Counts.
    Counter,
    /// Records durations or amounts.
    Histogram,
    /// Reads or records token usage.
    Usage,
    /// Writes a log record.
    Log,
    /// Reads a secret from where secrets belong.
    SecretSource,
    /// Reads the environment.
    Env,
    /// Reads configuration.
    Config,
    /// Validates a value.
    Validate,
    /// Routes requests to a handler.
    Route,
    /// Serves HTTP.
    Serve,
    /// Exports metrics.
    Exporter,
    /// Raises an alert.
    Alert,
    /// Opens an experiment run.
    TrackerStart,
    /// Records parameters of a run.
    TrackerParams,
    /// Records metrics of a run.
    TrackerMetrics,
    /// Tags a run.
    TrackerTags,
    /// Records artifacts of a run.
    TrackerArtifacts,
    /// Trains or evaluates a model.
    Training,
    /// Loads a model.
    ModelLoad,
    /// Runs a model.
    Inference,
    /// Places a model on the CPU.
    DeviceCpu,
    /// Places a model on a GPU that must exist.
    DeviceGpu,
    /// Places a model on what is there.
    DeviceAuto,
    /// A tokenizer.
    Tokenizer,
    /// Blocks the thread.
    Blocking,
    /// Reads or writes files and blocks the thread meanwhile.
    BlockingIo,
    /// Runs the closure inside it where blocking is allowed.
    BlockingScope,
    /// Runs the future inside it on its own.
    Spawn,
    /// Waits without blocking.
    Sleep,
    /// Waits and blocks the thread.
    SleepBlocking,
    /// Stands in for a model or a server in tests.
    Mock,
    /// Measures under load.
    LoadTest,
    /// Sets the model's name.
    SetModel,
    /// Sets the temperature.
    SetTemperature,
    /// Bounds the length of the output.
    SetMaxTokens,
    /// Sets `top_p`.
    SetTopP,
    /// Sets the API key.
    SetKey,
    /// Begins a model request.
    RequestBuilder,
    /// Looks at an HTTP status.
    StatusCheck,
    /// Cleans text for its destination.
    Sanitize,
    /// Puts text into a page unescaped.
    HtmlSink,
    /// Runs text as a command.
    CommandSink,
    /// Runs text as SQL.
    SqlSink,
    /// Runs many futures at once without bound.
    FanOut,
    /// Runs many futures at once within a bound.
    FanOutBounded,
    /// An asynchronous runtime.
    Runtime,
    /// Asks whether text is acceptable.
    Moderation,
    /// A value that came with a request.
    Input,
    /// Gives settings values where nobody sets them.
    Defaults,
    /// Says what a setting means.
    Documents,
}

impl Role {
    /// Every role, in declaration order.
    pub(crate) const ALL: [Role; 79] = [
        Role::ModelCall,
        Role::EmbeddingCall,
        Role::StreamCall,
        Role::Client,
        Role::ClientBuilder,
        Role::WrapsClient,
        Role::Layers,
        Role::HttpRequest,
        Role::HttpSend,
        Role::HttpBody,
        Role::Header,
        Role::Bearer,
        Role::Timeout,
        Role::TimeoutScope,
        Role::ConnectTimeout,
        Role::Retry,
        Role::RetryScope,
        Role::Backoff,
        Role::ConstantBackoff,
        Role::Bounded,
        Role::Unbounded,
        Role::ErrorFilter,
        Role::RateLimit,
        Role::ConcurrencyLimit,
        Role::Cache,
        Role::CacheRead,
        Role::CacheWrite,
        Role::CacheTtl,
        Role::CacheBound,
        Role::Counter,
        Role::Histogram,
        Role::Usage,
        Role::Log,
        Role::SecretSource,
        Role::Env,
        Role::Config,
        Role::Validate,
        Role::Route,
        Role::Serve,
        Role::Exporter,
        Role::Alert,
        Role::TrackerStart,
        Role::TrackerParams,
        Role::TrackerMetrics,
        Role::TrackerTags,
        Role::TrackerArtifacts,
        Role::Training,
        Role::ModelLoad,
        Role::Inference,
        Role::DeviceCpu,
        Role::DeviceGpu,
        Role::DeviceAuto,
        Role::Tokenizer,
        Role::Blocking,
        Role::BlockingIo,
        Role::BlockingScope,
        Role::Spawn,
        Role::Sleep,
        Role::SleepBlocking,
        Role::Mock,
        Role::LoadTest,
        Role::SetModel,
        Role::SetTemperature,
        Role::SetMaxTokens,
        Role::SetTopP,
        Role::SetKey,
        Role::RequestBuilder,
        Role::StatusCheck,
        Role::Sanitize,
        Role::HtmlSink,
        Role::CommandSink,
        Role::SqlSink,
        Role::FanOut,
        Role::FanOutBounded,
        Role::Runtime,
        Role::Moderation,
        Role::Input,
        Role::Defaults,
        Role::Documents,
    ];

    /// Its name in knowledge and rule files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ModelCall => "model-call",
            Self::EmbeddingCall => "embedding-call",
            Self::StreamCall => "stream-call",
            Self::Client => "client",
            Self::ClientBuilder => "client-builder",
            Self::WrapsClient => "wraps-client",
            Self::Layers => "layers",
            Self::HttpRequest => "http-request",
            Self::HttpSend => "http-send",
            Self::HttpBody => "http-body",
            Self::Header => "header",
            Self::Bearer => "bearer",
            Self::Timeout => "timeout",
            Self::TimeoutScope => "timeout-scope",
            Self::ConnectTimeout => "connect-timeout",
            Self::Retry => "retry",
            Self::RetryScope => "retry-scope",
            Self::Backoff => "backoff",
            Self::ConstantBackoff => "constant-backoff",
            Self::Bounded => "bounded",
            Self::Unbounded => "unbounded",
            Self::ErrorFilter => "error-filter",
            Self::RateLimit => "rate-limit",
            Self::ConcurrencyLimit => "concurrency-limit",
            Self::Cache => "cache",
            Self::CacheRead => "cache-read",
            Self::CacheWrite => "cache-write",
            Self::CacheTtl => "cache-ttl",
            Self::CacheBound => "cache-bound",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
            Self::Usage => "usage",
            Self::Log => "log",
            Self::SecretSource => "secret-source",
            Self::Env => "env",
            Self::Config => "config",
            Self::Validate => "validate",
            Self::Route => "route",
            Self::Serve => "serve",
            Self::Exporter => "exporter",
            Self::Alert => "alert",
            Self::TrackerStart => "tracker-start",
            Self::TrackerParams => "tracker-params",
            Self::TrackerMetrics => "tracker-metrics",
            Self::TrackerTags => "tracker-tags",
            Self::TrackerArtifacts => "tracker-artifacts",
            Self::Training => "training",
            Self::ModelLoad => "model-load",
            Self::Inference => "inference",
            Self::DeviceCpu => "device-cpu",
            Self::DeviceGpu => "device-gpu",
            Self::DeviceAuto => "device-auto",
            Self::Tokenizer => "tokenizer",
            Self::Blocking => "blocking",
            Self::BlockingIo => "blocking-io",
            Self::BlockingScope => "blocking-scope",
            Self::Spawn => "spawn",
            Self::Sleep => "sleep",
            Self::SleepBlocking => "sleep-blocking",
            Self::Mock => "mock",
            Self::LoadTest => "load-test",
            Self::SetModel => "set-model",
            Self::SetTemperature => "set-temperature",
            Self::SetMaxTokens => "set-max-tokens",
            Self::SetTopP => "set-top-p",
            Self::SetKey => "set-key",
            Self::RequestBuilder => "request-builder",
            Self::StatusCheck => "status-check",
            Self::Sanitize => "sanitize",
            Self::HtmlSink => "html-sink",
            Self::CommandSink => "command-sink",
            Self::SqlSink => "sql-sink",
            Self::FanOut => "fan-out",
            Self::FanOutBounded => "fan-out-bounded",
            Self::Runtime => "runtime",
            Self::Moderation => "moderation",
            Self::Input => "input",
            Self::Defaults => "defaults",
            Self::Documents => "documents",
        }
    }

    #[expect(clippy::as_conversions, reason = "a fieldless enum of fewer than 128 variants")]
    fn bit(self) -> u128 {
        1 << (self as u8)
    }
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roles(u128);

impl Roles {
    /// Whether it holds `role`.
    pub(crate) fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether it holds one of `roles`.
    pub(crate) fn any(self, roles: Roles) -> bool {
        self.0 & roles.0 != 0
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both sets.
    pub(crate) fn with(self, other: Roles) -> Roles {
        Roles(self.0 | other.0)
    }

    /// The roles, in declaration order.
    pub(crate) fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self(role.bit())
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::default(), |all, role| all.with(role.into()))
    }
}
