//! The settings that histories use, twice: as the text the product reads, and as the oracle understands them. Neither is
//! made from the other.

/// A group of people that histories change.
pub const TEAMS: [&str; 3] = ["reviewers", "leads", "legal"];

/// When a rule asks for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    /// A changed path lies under this one.
    Under(&'static str),
    /// A golden set or the settings change.
    Yardstick,
    /// A golden set asks for less than base's.
    Weakened,
    /// The evaluation found a regression.
    Regression,
}

/// Whose approval counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Team(&'static str),
    User(&'static str),
    /// Each owner of a changed prompt.
    Owner,
}

/// So many of these people.
#[derive(Debug, Clone, Copy)]
pub struct Quorum {
    pub count: usize,
    pub from: &'static [Who],
}

/// One rule: any of the quorums satisfies it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub name: &'static str,
    pub when: When,
    pub any_of: &'static [Quorum],
}

/// One text of settings and what it means.
pub struct Policy {
    /// In which `{n}` stands for the number of the history, since each has teams of its own.
    text: &'static str,
    /// Whether it can be read at all.
    pub readable: bool,
    /// The team that may override, one of them being enough.
    pub overriders: Option<&'static str>,
    pub rules: &'static [Rule],
}

impl Policy {
    pub fn text(&self, n: usize) -> String {
        format!("{HEAD}{}", self.text).replace("{n}", &n.to_string())
    }
}

const HEAD: &str = "prompts:\n  include: [\"prompts/**\"]\nevaluation:\n  model: openai/gpt-4o-mini\n";

/// The settings by which an override is all that helps against a regression.
pub const OVERRIDABLE: usize = 5;

/// The settings that cannot be read.
pub const BROKEN: usize = 6;

/// The settings whose rule asks about weakened golden sets.
pub const WEAKENED: usize = 7;

pub const POLICIES: [Policy; 8] = [
    Policy {
        text: r#"roles:
  reviewers: ["@acme/reviewers-{n}"]
approval:
  - name: reviewer
    require: { count: 1, from: [reviewers] }
"#,
        readable: true,
        overriders: None,
        rules: &[Rule {
            name: "reviewer",
            when: When::Always,
            any_of: &[Quorum { count: 1, from: &[Who::Team("reviewers")] }],
        }],
    },
    Policy {
        text: r#"roles:
  leads: ["@acme/leads-{n}"]
  reviewers: ["@acme/reviewers-{n}"]
approval:
  - name: reviewer
    require: { count: 1, from: [reviewers] }
  - name: keeper
    when: { changes: [golden_set, policy] }
    require: { count: 1, from: [leads] }
  - name: waiver
    when: { verdict: [regression] }
    require: { count: 1, from: [leads] }
override: { from: [leads], count: 1 }
"#,
        readable: true,
        overriders: Some("leads"),
        rules: &[
            Rule {
                name: "reviewer",
                when: When::Always,
                any_of: &[Quorum { count: 1, from: &[Who::Team("reviewers")] }],
            },
            Rule { name: "keeper", when: When::Yardstick, any_of: &[Quorum { count: 1, from: &[Who::Team("leads")] }] },
            Rule {
                name: "waiver",
                when: When::Regression,
                any_of: &[Quorum { count: 1, from: &[Who::Team("leads")] }],
            },
        ],
    },
    Policy {
        text: r#"approval:
  - name: two
    require: { count: 2, from: ["@acme/reviewers-{n}", "@lee"] }
  - name: legal
    when: { paths: ["prompts/legal/**"] }
    require:
      any_of:
        - { count: 1, from: ["@acme/legal-{n}"] }
        - { count: 2, from: ["@acme/leads-{n}", "@mara"] }
"#,
        readable: true,
        overriders: None,
        rules: &[
            Rule {
                name: "two",
                when: When::Always,
                any_of: &[Quorum { count: 2, from: &[Who::Team("reviewers"), Who::User("lee")] }],
            },
            Rule {
                name: "legal",
                when: When::Under("prompts/legal/"),
                any_of: &[
                    Quorum { count: 1, from: &[Who::Team("legal")] },
                    Quorum { count: 2, from: &[Who::Team("leads"), Who::User("mara")] },
                ],
            },
        ],
    },
    Policy {
        text: r#"approval:
  - name: owner
    when: { paths: ["prompts/**"] }
    require: { count: 1, from: [owner] }
"#,
        readable: true,
        overriders: None,
        rules: &[Rule {
            name: "owner",
            when: When::Under("prompts/"),
            any_of: &[Quorum { count: 1, from: &[Who::Owner] }],
        }],
    },
    Policy { text: "", readable: true, overriders: None, rules: &[] },
    Policy {
        text: r#"approval:
  - name: anybody
    require: { count: 1, from: ["@acme/reviewers-{n}", "@acme/legal-{n}"] }
override: { from: ["@acme/leads-{n}"], count: 1 }
"#,
        readable: true,
        overriders: Some("leads"),
        rules: &[Rule {
            name: "anybody",
            when: When::Always,
            any_of: &[Quorum { count: 1, from: &[Who::Team("reviewers"), Who::Team("legal")] }],
        }],
    },
    Policy { text: "aproval: []\n", readable: false, overriders: None, rules: &[] },
    Policy {
        text: r#"approval:
  - name: strict
    when: { changes: [golden_set_weakened] }
    require: { count: 1, from: ["@acme/leads-{n}"] }
"#,
        readable: true,
        overriders: None,
        rules: &[Rule {
            name: "strict",
            when: When::Weakened,
            any_of: &[Quorum { count: 1, from: &[Who::Team("leads")] }],
        }],
    },
];
