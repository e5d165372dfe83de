use proptest::prelude::*;

use super::super::{Settings, parse, parse_organisation, parse_under};
use super::*;
use crate::domain::ids::{ModelId, PromptPath};

fn path() -> PromptPath {
    PromptPath::parse(".github/promptops.yml").unwrap()
}

fn enforced(yaml: &str) -> Enforced {
    let text = format!("enforce:\n  {}\n", yaml.replace('\n', "\n  "));
    parse_organisation(&path(), text.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}")).value.enforced
}

/// What the settings come to under the organisation's, and the warnings as `line:column: message`.
fn under(own: &str, organisation: &str) -> (Settings, Vec<String>) {
    let parsed = parse_under(&path(), own.as_bytes(), &enforced(organisation));
    let parsed = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
    let said = parsed.warnings.iter().map(|found| {
        let at = found.location.unwrap();
        format!("{}:{}: {}", at.line, at.column, found.message)
    });
    (parsed.value, said.collect())
}

#[expect(clippy::needless_pass_by_value, reason = "an expected value reads best as a literal")]
fn check<T: PartialEq + std::fmt::Debug>(
    own: &str,
    organisation: &str,
    value: impl Fn(&Settings) -> T,
    expected: T,
    warnings: &[&str],
) {
    let (settings, said) = under(own, organisation);
    assert_eq!(value(&settings), expected, "{own} under {organisation}");
    assert_eq!(said, warnings, "{own} under {organisation}");
}

#[test]
fn the_stricter_number_counts_and_a_looser_one_is_named_at_its_line() {
    let margin = |settings: &Settings| settings.margin;
    check(
        "evaluation:\n  margin: 0.1",
        "evaluation: { margin: 0.02 }",
        margin,
        0.02,
        &["2:11: `margin` is 0.1, but the organisation allows at most 0.02"],
    );
    check("evaluation:\n  margin: 0.01", "evaluation: { margin: 0.02 }", margin, 0.01, &[]);
    check("roles: {}", "evaluation: { margin: 0.02 }", margin, 0.02, &[]);
    let floor = |settings: &Settings| settings.min_score;
    check(
        "evaluation:\n  min_score: 0.5",
        "evaluation: { min_score: 0.8 }",
        floor,
        Some(0.8),
        &["2:14: `min_score` is 0.5, but the organisation asks for at least 0.8"],
    );
    check("evaluation:\n  min_score: 0.9", "evaluation: { min_score: 0.8 }", floor, Some(0.9), &[]);
    check("", "evaluation: { min_score: 0.8 }", floor, Some(0.8), &[]);
    let trials = |settings: &Settings| settings.trials;
    check(
        "evaluation:\n  trials: 2",
        "evaluation: { trials: 3 }",
        trials,
        3,
        &["2:11: `trials` is 2, but the organisation asks for at least 3"],
    );
    check("evaluation:\n  trials: 5", "evaluation: { trials: 3 }", trials, 5, &[]);
    let cost = |settings: &Settings| settings.max_cost_increase;
    check(
        "evaluation:\n  max_cost_increase: 2",
        "evaluation: { max_cost_increase: 0.5 }",
        cost,
        Some(0.5),
        &["2:22: `max_cost_increase` is 2, but the organisation allows at most 0.5"],
    );
    let latency = |settings: &Settings| settings.max_latency_increase;
    check("", "evaluation: { max_latency_increase: 0.5 }", latency, Some(0.5), &[]);
}

#[test]
fn budgets_are_the_smaller_ones() {
    let own = "evaluation:\n  budget: { run_usd: 9, day_usd: 1 }";
    let organisation = "evaluation: { budget: { run_usd: 2, day_usd: 5, author_day_usd: 3, pull_request_usd: 4 } }";
    let budgets =
        |settings: &Settings| (settings.run_usd, settings.day_usd, settings.author_day_usd, settings.pull_request_usd);
    check(
        own,
        organisation,
        budgets,
        (Some(2.0), Some(1.0), Some(3.0), Some(4.0)),
        &["2:22: `run_usd` is 9, but the organisation allows at most 2"],
    );
}

#[test]
fn forks_are_kept_out_as_the_organisation_says() {
    let forks = |settings: &Settings| settings.forks;
    let looser = "2:10: `forks` lets more pass than the organisation allows";
    check("evaluation:\n  forks: approve", "evaluation: { forks: lint }", forks, Forks::Lint, &[looser]);
    check("evaluation:\n  forks: never", "evaluation: { forks: lint }", forks, Forks::Never, &[]);
    check("", "evaluation: { forks: never }", forks, Forks::Never, &[]);
}

#[test]
fn the_judge_and_who_overrides_are_the_organisation_s() {
    let judge = |settings: &Settings| settings.judge.clone();
    let gpt = ModelId::parse("openai/gpt-4o").ok();
    check(
        "evaluation:\n  judge: openai/tiny",
        "evaluation: { judge: openai/gpt-4o }",
        judge,
        gpt,
        &["2:10: `judge` is openai/gpt-4o, which the organisation enforces"],
    );
    let organisation = "roles: { leads: [\"@lee\"] }\noverride: { from: [leads], count: 1 }";
    let (settings, said) = under("override:\n  from: [\"@ann\"]\n", organisation);
    assert_eq!(said, ["2:3: `override` is the organisation's: only the people it names may override"]);
    assert_eq!(settings.policy.overriders, enforced(organisation).overriders);
}

#[test]
fn the_organisation_s_rules_come_first_and_know_its_own_roles() {
    let organisation = "roles: { leads: [\"@lee\"] }\napproval: [{ name: legal, require: { from: [leads] } }]";
    let own = "roles: { leads: [\"@ann\"] }\napproval: [{ name: legal, require: { from: [leads] } }]";
    let (settings, _) = under(own, organisation);
    let names: Vec<&str> = settings.policy.rules.iter().map(|rule| &*rule.name).collect();
    assert_eq!(names, ["organisation: legal", "legal"]);
    let said: Vec<String> = settings.policy.rules.iter().map(|rule| format!("{:?}", rule.require)).collect();
    assert!(said[0].contains("lee") && !said[0].contains("ann"), "{said:?}");
    assert!(said[1].contains("ann") && !said[1].contains("lee"), "{said:?}");
}

#[test]
fn lint_and_governed_paths_are_added() {
    let organisation = "prompts: { include: [\"legal/**\"] }\nlint: { banned_phrases: [magic], require: [owner] }";
    let own = "prompts: { exclude: [\"legal/**\"] }\nlint: { banned_phrases: [best, magic], require: [version] }";
    let (settings, _) = under(own, organisation);
    assert_eq!(settings.banned_phrases, ["best", "magic"]);
    assert_eq!(settings.required_metadata, ["version", "owner"]);
    let governed = crate::domain::governed::Governed::new(&settings).unwrap();
    assert!(governed.classify(&PromptPath::parse("legal/terms.prompt.yml").unwrap()).is_some());
}

#[test]
fn a_repository_can_neither_enforce_nor_take_an_enforced_name() {
    let errors = |text: &str| -> Vec<String> {
        let found = parse(&path(), text.as_bytes()).unwrap_err();
        found.iter().map(|one| format!("{}:{}", one.location.unwrap().line, one.message)).collect()
    };
    assert_eq!(errors("roles: {}\nenforce: {}\n"), ["2:`enforce` counts in the organisation's settings only"]);
    assert_eq!(
        errors("approval:\n  - name: \"organisation: legal\"\n    require: { from: [\"@ann\"] }\n"),
        ["2:the name `organisation: legal` is kept for rules that the organisation enforces"]
    );
}

#[test]
fn what_is_wrong_in_enforce_has_its_place() {
    let errors = |text: &str| -> Vec<String> {
        let found = parse_organisation(&path(), text.as_bytes()).unwrap_err();
        found.iter().map(|one| format!("{}:{}", one.location.unwrap().line, one.message)).collect()
    };
    assert_eq!(
        errors("enforce:\n  evaluation:\n    model: openai/x\n"),
        ["3:unknown key `model` in `enforce.evaluation`"]
    );
    assert_eq!(errors("enforce:\n  evaluation:\n    margin: 2\n"), ["3:`margin` is 2, but must be from 0 to 1"]);
    assert_eq!(errors("enforce:\n  prompts:\n    exclude: []\n"), ["3:unknown key `exclude` in `enforce.prompts`"]);
    assert_eq!(
        errors("enforce:\n  approval:\n    - name: a\n      require: { from: [leads] }\n"),
        ["4:unknown role `leads`"]
    );
}

fn settings() -> impl Strategy<Value = Settings> {
    let money = || prop::option::of(0.0..100.0_f64);
    let evaluation = (1_u32..10, 0.0..1.0_f64, prop::option::of(0.0..1.0_f64), money(), money());
    let forks = prop::sample::select(vec![Forks::Approve, Forks::Lint, Forks::Never]);
    (evaluation, (money(), money(), money(), money()), forks).prop_map(|(evaluation, budgets, forks)| Settings {
        trials: evaluation.0,
        margin: evaluation.1,
        min_score: evaluation.2,
        max_cost_increase: evaluation.3,
        max_latency_increase: evaluation.4,
        run_usd: budgets.0,
        pull_request_usd: budgets.1,
        day_usd: budgets.2,
        author_day_usd: budgets.3,
        forks,
        ..Settings::default()
    })
}

/// Any settings, as an organisation would enforce them; each number may be left out.
fn bounds() -> impl Strategy<Value = Enforced> {
    (settings(), any::<[bool; 4]>()).prop_map(|(settings, given)| Enforced {
        trials: given[0].then_some(settings.trials),
        margin: given[1].then_some(settings.margin),
        forks: given[2].then_some(settings.forks),
        min_score: settings.min_score,
        max_cost_increase: settings.max_cost_increase,
        max_latency_increase: settings.max_latency_increase,
        budgets: settings.budgets(),
        rules: if given[3] { enforced("approval: [{ name: a, require: { from: [\"@lee\"] } }]").rules } else { vec![] },
        ..Enforced::default()
    })
}

/// Whether a limit is at least as tight as another; none is the loosest.
fn within(tight: Option<f64>, loose: Option<f64>) -> bool {
    loose.is_none_or(|loose| tight.is_some_and(|tight| tight <= loose))
}

proptest! {
    #[test]
    fn merging_never_loosens_and_doing_it_again_changes_nothing(own in settings(), bounds in bounds()) {
        let (merged, _) = bounds.over(own.clone());
        for side in [own.clone(), Settings { margin: bounds.margin.unwrap_or(1.0), ..own.clone() }] {
            prop_assert!(merged.margin <= side.margin);
        }
        prop_assert!(merged.trials >= own.trials && bounds.trials.is_none_or(|least| merged.trials >= least));
        for least in [own.min_score, bounds.min_score].into_iter().flatten() {
            prop_assert!(merged.min_score.is_some_and(|score| score >= least));
        }
        let limits = |s: &Settings| [s.max_cost_increase, s.max_latency_increase, s.run_usd, s.pull_request_usd, s.day_usd, s.author_day_usd];
        let budgets = &bounds.budgets;
        let most = [bounds.max_cost_increase, bounds.max_latency_increase, budgets.run_usd, budgets.pull_request_usd,
            budgets.day_usd, budgets.author_day_usd];
        for ((merged, own), most) in limits(&merged).into_iter().zip(limits(&own)).zip(most) {
            prop_assert!(within(merged, own) && within(merged, most), "{merged:?} {own:?} {most:?}");
        }
        prop_assert!(strictness(merged.forks) >= strictness(own.forks));
        for rule in &bounds.rules {
            prop_assert!(merged.policy.rules.contains(rule));
        }
        let (again, overruled) = bounds.over(merged.clone());
        prop_assert_eq!(again, merged);
        prop_assert_eq!(overruled, vec![]);
    }
}
