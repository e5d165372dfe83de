//! What the operator lets a provider be asked for, as plain data. Knows no vendor and enforces nothing.

/// The most that one provider may be asked; an absent figure is no limit of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProviderLimits {
    /// Questions open at once.
    pub max_concurrency: Option<u32>,
    /// Questions in a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens in a minute, of questions and answers together.
    pub tokens_per_minute: Option<u64>,
}
