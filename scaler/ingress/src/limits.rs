//! What one client may ask of the ingress.

/// Bounds of requests and connections, so that no client takes more than its share. What is beyond one
/// is refused and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's head, and of its trailers. Beyond: 431.
    pub header_bytes: u32,
    /// Headers of a request. Beyond: 431. Over HTTP/2 their bytes alone count.
    pub headers: u16,
    /// Bytes of a request's target. Beyond: 414.
    pub target_bytes: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 64 * 1024,
            headers: 100,
            target_bytes: 16 * 1024,
        }
    }
}
