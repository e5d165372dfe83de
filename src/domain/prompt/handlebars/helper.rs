//! The closed list of helpers, and what each must be given. Knows not what they do.

use super::SyntaxError;
use super::ast::Call;
use crate::domain::diagnostic::Location;
use crate::domain::reader::suggestion;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
    If,
    Unless,
    Each,
    With,
    IfEquals,
    UnlessEquals,
    Json,
    Role,
    History,
    Section,
    Media,
    Lookup,
    Log,
}

const HELPERS: [(&str, Helper); 13] = [
    ("if", Helper::If),
    ("unless", Helper::Unless),
    ("each", Helper::Each),
    ("with", Helper::With),
    ("ifEquals", Helper::IfEquals),
    ("unlessEquals", Helper::UnlessEquals),
    ("json", Helper::Json),
    ("role", Helper::Role),
    ("history", Helper::History),
    ("section", Helper::Section),
    ("media", Helper::Media),
    ("lookup", Helper::Lookup),
    ("log", Helper::Log),
];

impl Helper {
    pub(super) fn named(name: &str) -> Option<Self> {
        HELPERS.iter().find(|(known, _)| *known == name).map(|(_, helper)| *helper)
    }

    pub(super) fn suggestion(name: &str) -> String {
        suggestion(name, &HELPERS.map(|(name, _)| name))
    }

    fn name(self) -> &'static str {
        HELPERS.iter().find(|(_, helper)| *helper == self).map_or("", |(name, _)| name)
    }

    pub(super) fn is_block(self) -> bool {
        matches!(self, Self::If | Self::Unless | Self::Each | Self::With | Self::IfEquals | Self::UnlessEquals)
    }

    /// How many arguments it takes, least and most.
    fn takes(self) -> (usize, usize) {
        match self {
            Self::If | Self::Unless | Self::Each | Self::With | Self::Json | Self::Role | Self::Section => (1, 1),
            Self::IfEquals | Self::UnlessEquals | Self::Lookup => (2, 2),
            Self::History | Self::Media => (0, 0),
            Self::Log => (0, usize::MAX),
        }
    }

    fn check(self, call: &Call) -> Result<(), SyntaxError> {
        let (least, most) = self.takes();
        let name = self.name();
        let count = |number: usize| format!("{number} argument{}", if number == 1 { "" } else { "s" });
        if !(least..=most).contains(&call.params.len()) {
            let message = format!("`{name}` takes {}, found {}", count(least), call.params.len());
            return Err(SyntaxError::new(call.at, message, self.usage()));
        }
        if self == Self::Media && call.hash("url").is_none() {
            return Err(SyntaxError::new(call.at, "`media` needs `url`", self.usage()));
        }
        Ok(())
    }

    fn usage(self) -> String {
        match self {
            Self::Media => "write {{media url=photo contentType=\"image/png\"}}".to_owned(),
            Self::Role => "write {{role \"system\"}}; a variable of that name is {{this.role}}".to_owned(),
            Self::History => "write {{history}}; a variable of that name is {{this.history}}".to_owned(),
            Self::IfEquals | Self::UnlessEquals => format!("write {{{{#{} kind \"letter\"}}}}", self.name()),
            Self::Lookup => "write {{lookup list 0}}".to_owned(),
            helper if helper.is_block() => format!("write {{{{#{} name}}}}", self.name()),
            helper => format!("write {{{{{} name}}}}", helper.name()),
        }
    }

    /// What `{{helper …}}` must hold to.
    pub(super) fn check_inline(self, call: &Call) -> Result<(), SyntaxError> {
        if self.is_block() {
            let name = self.name();
            let help = format!("write {{{{#{name} …}}}} … {{{{/{name}}}}}");
            return Err(SyntaxError::new(call.at, format!("`{name}` is a block"), help));
        }
        self.check(call)
    }

    /// What `{{#helper …}}` must hold to; `names` tells whether there are block parameters.
    pub(super) fn check_block(self, call: &Call, names: bool) -> Result<(), SyntaxError> {
        if !self.is_block() {
            let name = self.name();
            return Err(SyntaxError::new(call.at, format!("`{name}` is no block"), self.usage()));
        }
        if names && !matches!(self, Self::Each | Self::With) {
            return Err(no_names(call.at));
        }
        self.check(call)
    }

    /// What `(helper …)` must hold to.
    pub(super) fn check_nested(self, call: &Call) -> Result<(), SyntaxError> {
        if !matches!(self, Self::Json | Self::Lookup) {
            let message = format!("`{}` gives no value, so it cannot be an argument", self.name());
            return Err(SyntaxError::new(call.at, message, "only `json` and `lookup` can"));
        }
        self.check(call)
    }
}

pub(super) fn no_names(at: Location) -> SyntaxError {
    SyntaxError::new(at, "block parameters belong to `each` and `with`", "remove `as |…|`")
}
