//! Faults a test orders: where, when, what, how often. Knows no handler.

use std::time::Duration;

use super::route::matches;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// An answer with this status and no use.
    Status(u16),
    /// An answer with this status that says when to come back.
    RetryAfter(u16, u64),
    /// The connection is cut without an answer.
    Drop,
    /// 200 with a body that is no JSON.
    Garbage,
    /// The true answer, so much later.
    Slow(Duration),
}

/// Whether the effect of the request happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The request has no effect.
    Before,
    /// The request takes effect, only its answer is lost.
    After,
}

/// A fault.
#[derive(Debug, Clone)]
pub struct Fault {
    method: String,
    pattern: String,
    pub(super) when: When,
    pub(super) trouble: Trouble,
    times: u32,
}

impl Fault {
    /// A fault on the next request of this method and path; in the pattern `{x}` is any one part, `{x*}` several.
    #[must_use]
    pub fn new(method: &str, pattern: &str, when: When, trouble: Trouble) -> Self {
        Self { method: method.to_owned(), pattern: pattern.to_owned(), when, trouble, times: 1 }
    }

    /// Happens so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    fn hits(&self, method: &str, path: &str) -> bool {
        self.times > 0 && self.method == method && matches(&self.pattern, path).is_some()
    }
}

/// The fault that a request runs into, counted down.
pub(super) fn take(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<Fault> {
    let at = faults.iter().position(|fault| fault.hits(method, path))?;
    faults[at].times -= 1;
    let fault = faults[at].clone();
    faults.retain(|fault| fault.times > 0);
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_as_often_as_ordered_and_only_there() {
        let order = Fault::new("POST", "/repos/{owner}/{repo}/check-runs", When::Before, Trouble::Drop).times(2);
        let mut faults = vec![order];
        assert!(take(&mut faults, "GET", "/repos/a/b/check-runs").is_none());
        assert!(take(&mut faults, "POST", "/repos/a/b/check-runs/7").is_none());
        assert!(take(&mut faults, "POST", "/repos/a/b/check-runs").is_some());
        assert!(take(&mut faults, "POST", "/repos/a/b/check-runs").is_some());
        assert!(take(&mut faults, "POST", "/repos/a/b/check-runs").is_none());
        assert!(faults.is_empty());
    }
}
