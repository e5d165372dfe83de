//! The app's own log of webhook deliveries, and asking for one again. Knows no store.

use serde::Deserialize;

use super::answer::{Ask, part};
use super::client::Github;
use super::error::GithubError;

/// One attempt at a delivery, as GitHub logged it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LoggedDelivery {
    /// The attempt's number: it grows.
    pub id: u64,
    /// The delivery's id, the same at every attempt.
    pub guid: String,
    /// The event's name.
    pub event: String,
    /// Whether somebody asked for this attempt.
    pub redelivery: bool,
    /// Our answer's status; 0 where there was none.
    pub status_code: u16,
}

impl LoggedDelivery {
    /// Whether we looked at it and said that it is no delivery of ours.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        (400..500).contains(&self.status_code)
    }
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPage {
    /// The newest first.
    pub deliveries: Vec<LoggedDelivery>,
    /// Where the next page begins.
    pub next: Option<String>,
}

impl Github {
    /// A page of the log, from its newest entry or from a cursor.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn deliveries(&self, cursor: Option<&str>) -> Result<DeliveryPage, GithubError> {
        const WHAT: &str = "the app's log of deliveries";
        let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={}", part(cursor)));
        let answer = self.as_app(&Ask::get(format!("/app/hook/deliveries?per_page=100{cursor}"), WHAT)).await?;
        let next = answer.next.as_deref().and_then(cursor_of).map(str::to_owned);
        Ok(DeliveryPage { deliveries: answer.parse(WHAT)?, next })
    }

    /// Asks for a delivery again. Twice is once: it keeps its id.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn redeliver(&self, id: u64) -> Result<(), GithubError> {
        let route = format!("/app/hook/deliveries/{id}/attempts");
        self.as_app(&Ask::post(route, serde_json::json!({}), format!("delivery {id} again"))).await.map(drop)
    }
}

fn cursor_of(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("cursor="))
}

#[cfg(test)]
mod tests {
    use super::cursor_of;

    #[test]
    fn the_cursor_is_read_from_the_address_of_the_next_page() {
        let check = |url, expected| assert_eq!(cursor_of(url), expected);
        check("https://x.test/app/hook/deliveries?per_page=100&cursor=v1_12", Some("v1_12"));
        check("https://x.test/app/hook/deliveries?page=2", None);
        check("https://x.test/", None);
    }
}
