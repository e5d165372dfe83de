//! Which ends of a run fail the step. Decides no verdict.

/// How a run ended, as exit codes tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Pass, or no regression found.
    Passed,
    /// A regression, or an error of lint.
    Blocked,
    /// The input is wrong.
    WrongInput,
    /// Nothing could be said.
    NotMeasured,
}

/// From when on the step fails; each level includes those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailOn {
    /// Wrong input alone.
    Never,
    /// A regression or an error of lint.
    Regression,
    /// Also what could not be measured.
    #[default]
    NotMeasured,
    /// Also any failing case.
    AnyFailure,
}

impl FailOn {
    /// All levels by their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("never", Self::Never),
        ("regression", Self::Regression),
        ("not-measured", Self::NotMeasured),
        ("any-failure", Self::AnyFailure),
    ];

    /// The level of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    /// Whether a run that ended so fails the step.
    #[must_use]
    pub fn fails(self, end: End) -> bool {
        match end {
            End::Passed => false,
            End::WrongInput => true,
            End::Blocked => self >= Self::Regression,
            End::NotMeasured => self >= Self::NotMeasured,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_a_name_and_includes_those_before_it() {
        assert_eq!(FailOn::named("any-failure"), Some(FailOn::AnyFailure));
        assert_eq!(FailOn::named("Never"), None);
        let failing =
            |level: FailOn| [End::Passed, End::WrongInput, End::Blocked, End::NotMeasured].map(|end| level.fails(end));
        assert_eq!(failing(FailOn::Never), [false, true, false, false]);
        assert_eq!(failing(FailOn::Regression), [false, true, true, false]);
        assert_eq!(failing(FailOn::NotMeasured), [false, true, true, true]);
        assert_eq!(failing(FailOn::AnyFailure), [false, true, true, true]);
        assert!(FailOn::ALL.is_sorted_by_key(|(_, level)| *level));
    }
}
