//! The engine that Jinja texts run in: no files, no environment, no network, bounded steps and output. Knows no prompt.

use std::io;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

/// The text's name in its environment.
pub(super) const NAME: &str = "prompt";
/// The variable that stands for the boundary of a message.
pub(super) const MARK: &str = "__mark";
/// Deepest nesting of calls.
const RECURSION: usize = 60;
/// Longest rendered prompt, in bytes.
pub(super) const MAX_OUTPUT: usize = 2 << 20;

/// An environment without a text.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_recursion_limit(RECURSION);
    environment.set_debug(true);
    // It would print all variables, whatever they hold.
    environment.add_function("debug", || -> Result<String, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, "`debug` is not available here"))
    });
    environment.add_global(MARK, "");
    environment
}

/// Most that a rendering of a text with its values may do; the engine counts a step or a byte as one.
pub(super) fn fuel(bytes: usize) -> u64 {
    500_000 + 8 * u64::try_from(bytes).unwrap_or(u64::MAX / 16)
}

/// Renders the text of an environment.
pub(super) fn render(environment: &Environment<'_>, vars: Value) -> Result<String, Error> {
    let mut out = Capped { bytes: Vec::new() };
    environment.get_template(NAME)?.render_captured_to(vars, &mut out)?;
    String::from_utf8(out.bytes).map_err(|_| Error::new(ErrorKind::WriteFailure, "the text is not UTF-8"))
}

/// Takes so many bytes and no more.
struct Capped {
    bytes: Vec<u8>,
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What happened, in our words, and what to do.
pub(super) fn explain(error: &Error) -> String {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => "the template takes too many steps: loop over less, or give shorter values".to_owned(),
        ErrorKind::WriteFailure => {
            format!(
                "the template makes more than {} MiB of text: loop over less, or give shorter values",
                MAX_OUTPUT >> 20
            )
        }
        ErrorKind::UnknownFilter => format!("{detail}: use one of Jinja's own filters"),
        ErrorKind::UnknownFunction => format!("{detail}: Jinja texts have only `range`, `dict` and `namespace` here"),
        ErrorKind::SyntaxError => format!("invalid Jinja: {detail}: correct the template here"),
        kind if detail.is_empty() => format!("{kind}: correct the template here"),
        kind => format!("{kind}: {detail}: correct the template here"),
    }
}
