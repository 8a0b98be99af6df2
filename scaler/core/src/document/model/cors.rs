//! `ingress.corsPolicy`.

/// What pages of other origins may ask of an app. In each list `*` stands for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsPolicy {
    /// `allowedOrigins`, as in `https://example.com`.
    pub allowed_origins: Vec<String>,
    /// `allowedMethods`.
    pub allowed_methods: Vec<String>,
    /// `allowedHeaders`: of requests.
    pub allowed_headers: Vec<String>,
    /// `exposeHeaders`: of answers.
    pub expose_headers: Vec<String>,
    /// `maxAge`: for how many seconds a browser may keep what it was told.
    pub max_age: Option<u32>,
    /// `allowCredentials`: whether cookies and the like go along.
    pub allow_credentials: bool,
}
