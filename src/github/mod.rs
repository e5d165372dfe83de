//! GitHub from this side of the wire. Knows neither store nor providers.

pub mod webhook;
