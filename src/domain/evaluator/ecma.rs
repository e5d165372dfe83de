//! JavaScript's regex syntax written as Rust's, for either engine. Knows no engine's API and no evaluator.

use super::compile::CompileError;

/// Which engine the pattern is written for: they differ in how an ASCII word boundary is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// The `regex` crate: linear time, no look-around.
    Linear,
    /// The `fancy-regex` crate: look-around and back-references, by backtracking.
    Backtracking,
}

const WORD: &str = "[0-9A-Za-z_]";
const NOT_WORD: &str = "[^0-9A-Za-z_]";
/// JavaScript's white space: Unicode's without U+0085, with U+FEFF.
const SPACE: &str =
    r"[\x{9}-\x{D}\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]";
const NOT_SPACE: &str =
    r"[^\x{9}-\x{D}\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]";

/// Rewrites a pattern so that `\d \w \b` are ASCII, a lone brace is itself, and nothing but JavaScript's syntax (with
/// inline flags `i`, `m`, `s`) gets through.
pub(super) fn to_rust(source: &str, engine: Engine) -> Result<String, CompileError> {
    let mut translator = Translator { rest: source, out: String::with_capacity(source.len() + 16), engine };
    while let Some(c) = translator.take() {
        match c {
            '\\' => translator.escape()?,
            '[' => translator.class()?,
            '(' => translator.group()?,
            '{' => translator.brace(),
            '}' | ']' => translator.literal(c),
            _ => translator.out.push(c),
        }
    }
    Ok(translator.out)
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
    engine: Engine,
}

impl<'a> Translator<'a> {
    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn take_if(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes the longest run of characters that `belongs`.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    fn literal(&mut self, c: char) {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    fn code_point(&mut self, c: char) {
        self.out.push_str(&format!(r"\x{{{:X}}}", u32::from(c)));
    }

    /// A `{` that starts no quantifier is itself: JSON is often matched by `{"key"`.
    fn brace(&mut self) {
        let quantifier = self.rest.split_once('}').filter(|(inside, _)| {
            let (min, max) = inside.split_once(',').unwrap_or((inside, ""));
            !min.is_empty() && min.bytes().chain(max.bytes()).all(|b| b.is_ascii_digit())
        });
        match quantifier {
            Some((inside, rest)) => {
                self.out.push_str(&format!("{{{inside}}}"));
                self.rest = rest;
            }
            None => self.literal('{'),
        }
    }

    /// What follows `(`: a plain group, or one of JavaScript's own `(?` forms, or inline flags.
    fn group(&mut self) -> Result<(), CompileError> {
        if !self.rest.starts_with('?') {
            self.out.push('(');
            return Ok(());
        }
        if self.take_if("?P<") {
            self.out.push_str("(?<");
            return Ok(());
        }
        for form in ["?:", "?=", "?!", "?<=", "?<!", "?<"] {
            if self.take_if(form) {
                self.out.push('(');
                self.out.push_str(form);
                return Ok(());
            }
        }
        self.take();
        let flags = self.take_while(|c| matches!(c, 'i' | 'm' | 's' | '-'));
        if flags.is_empty() || !self.rest.starts_with([':', ')']) {
            return Err(CompileError::new("the group `(?` is of a form that JavaScript's regexes lack")
                .help("use (?:…), (?=…), (?!…), (?<=…), (?<!…), (?<name>…) or the flags (?i), (?m), (?s)"));
        }
        self.out.push_str("(?");
        self.out.push_str(flags);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), CompileError> {
        let Some(c) = self.take() else {
            return Err(CompileError::new("the pattern ends in a lone backslash").help(r"write `\\` for a backslash"));
        };
        match (c, self.engine) {
            ('b', Engine::Linear) => self.out.push_str(r"(?-u:\b)"),
            ('B', Engine::Linear) => self.out.push_str(r"(?-u:\B)"),
            // This engine has no ASCII boundary of its own, but it has look-around.
            ('b', Engine::Backtracking) => {
                self.out.push_str(&format!("(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))"));
            }
            ('B', Engine::Backtracking) => {
                self.out.push_str(&format!("(?:(?<={WORD})(?={WORD})|(?<!{WORD})(?!{WORD}))"));
            }
            ('k', _) => self.out.push_str(r"\k"),
            ('1'..='9', _) => {
                self.out.push('\\');
                self.out.push(c);
                let digits = self.take_while(|c| c.is_ascii_digit());
                self.out.push_str(digits);
            }
            _ => {
                self.shared_escape(c)?;
            }
        }
        Ok(())
    }

    /// What follows `[`, up to its `]`.
    fn class(&mut self) -> Result<(), CompileError> {
        if self.take_if("^]") {
            self.out.push_str("(?s:.)");
            return Ok(());
        }
        if self.take_if("]") {
            return Err(CompileError::new("the class `[]` matches nothing").help(r"write `\[\]` for brackets"));
        }
        self.out.push('[');
        if self.take_if("^") {
            self.out.push('^');
        }
        // A `-` after a set or after another `-` is itself: elsewhere it may stand for a range.
        let mut plain_dash = false;
        while let Some(c) = self.take() {
            let after_plain_dash = std::mem::replace(&mut plain_dash, false);
            match c {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' if self.take_if("b") => self.out.push_str(r"\x08"),
                '\\' => {
                    let Some(escaped) = self.take() else { break };
                    plain_dash = self.shared_escape(escaped)?;
                }
                '-' if after_plain_dash => self.literal('-'),
                '-' => {
                    self.out.push('-');
                    plain_dash = true;
                }
                _ => self.literal(c),
            }
        }
        Err(CompileError::new("a class is opened by `[` and not closed").help(r"add `]`, or write `\[` for a bracket"))
    }

    /// An escape that means the same inside and outside a class. True when it is a set and not one character.
    fn shared_escape(&mut self, c: char) -> Result<bool, CompileError> {
        let set = match c {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' => WORD,
            'W' => NOT_WORD,
            's' => SPACE,
            'S' => NOT_SPACE,
            'p' | 'P' => return self.property(c).map(|()| true),
            _ => "",
        };
        if !set.is_empty() {
            self.out.push_str(set);
            return Ok(true);
        }
        match c {
            'n' | 'r' | 't' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'f' => self.code_point('\u{c}'),
            'v' => self.code_point('\u{b}'),
            '0' if !self.rest.starts_with(|c: char| c.is_ascii_digit()) => self.code_point('\0'),
            'x' | 'u' => {
                let scalar = self.hexadecimal(c).ok_or_else(|| {
                    CompileError::new(format!(r"the escape `\{c}` names no character"))
                        .help(r"write \xHH, \uHHHH or \u{H…} with hexadecimal digits")
                })?;
                self.code_point(scalar);
            }
            'c' if self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let letter = self.take().unwrap_or_default();
                self.code_point(char::from(u8::try_from(u32::from(letter) % 32).unwrap_or_default()));
            }
            _ if c.is_ascii_alphanumeric() => {
                return Err(CompileError::new(format!(r"the escape `\{c}` is not one of JavaScript's regexes"))
                    .help("remove the backslash; the start and the end of the text are `^` and `$`"));
            }
            _ => self.literal(c),
        }
        Ok(false)
    }

    /// `\p{…}`, copied whole.
    fn property(&mut self, c: char) -> Result<(), CompileError> {
        let Some((name, rest)) = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return Err(CompileError::new(format!(r"the escape `\{c}` lacks a property"))
                .help(r"write it as \p{Letter} or \p{Script=Greek}"));
        };
        self.out.push_str(&format!(r"\{c}{{{name}}}"));
        self.rest = rest;
        Ok(())
    }

    /// The character of `\xHH`, `\uHHHH` (or a surrogate pair of them) or `\u{H…}`.
    fn hexadecimal(&mut self, c: char) -> Option<char> {
        if c == 'u' && self.take_if("{") {
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            return self.take_if("}").then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)).flatten();
        }
        let first = self.hex_digits(if c == 'x' { 2 } else { 4 })?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        let second = self.take_if(r"\u").then(|| self.hex_digits(4)).flatten()?;
        (0xDC00..0xE000)
            .contains(&second)
            .then(|| char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)))
            .flatten()
    }

    fn hex_digits(&mut self, count: usize) -> Option<u32> {
        let digits = self.rest.get(..count).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.rest = &self.rest[count..];
        u32::from_str_radix(digits, 16).ok()
    }
}
