//! The one list of kinds that need no model: our names, and promptfoo's, which have dashes. Knows no value of a kind.

/// A kind, with what its readers must know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Equals,
    Contains,
    Icontains,
    ContainsAll,
    ContainsAny,
    IcontainsAll,
    IcontainsAny,
    StartsWith,
    EndsWith,
    Regex,
    IsJson,
    JsonSchema,
    ContainsJson,
    IsXml,
    ContainsXml,
    IsHtml,
    ContainsHtml,
    IsSql,
    ContainsSql,
    WordCount,
    Levenshtein,
    Bleu,
    Gleu,
    RougeN,
    Meteor,
    LexicalSimilarity,
    IsRefusal,
    FinishReason,
    Cost,
    Latency,
    FunctionCall,
    ToolCalls,
    ToolCallF1,
    SensitiveData,
    BannedPhrases,
}

/// In the order of the documentation.
pub(super) const NAMES: [(&str, Kind); 36] = [
    ("equals", Kind::Equals),
    ("contains", Kind::Contains),
    ("icontains", Kind::Icontains),
    ("contains_all", Kind::ContainsAll),
    ("contains_any", Kind::ContainsAny),
    ("icontains_all", Kind::IcontainsAll),
    ("icontains_any", Kind::IcontainsAny),
    ("starts_with", Kind::StartsWith),
    ("ends_with", Kind::EndsWith),
    ("regex", Kind::Regex),
    ("is_json", Kind::IsJson),
    ("json_schema", Kind::JsonSchema),
    ("contains_json", Kind::ContainsJson),
    ("is_xml", Kind::IsXml),
    ("contains_xml", Kind::ContainsXml),
    ("is_html", Kind::IsHtml),
    ("contains_html", Kind::ContainsHtml),
    ("is_sql", Kind::IsSql),
    ("contains_sql", Kind::ContainsSql),
    ("word_count", Kind::WordCount),
    ("levenshtein", Kind::Levenshtein),
    ("bleu", Kind::Bleu),
    ("gleu", Kind::Gleu),
    ("rouge_n", Kind::RougeN),
    ("meteor", Kind::Meteor),
    ("lexical_similarity", Kind::LexicalSimilarity),
    ("is_refusal", Kind::IsRefusal),
    ("finish_reason", Kind::FinishReason),
    ("cost", Kind::Cost),
    ("latency", Kind::Latency),
    ("is_valid_openai_function_call", Kind::FunctionCall),
    ("is_valid_function_call", Kind::FunctionCall),
    ("is_valid_openai_tools_call", Kind::ToolCalls),
    ("tool_call_f1", Kind::ToolCallF1),
    ("sensitive_data", Kind::SensitiveData),
    ("banned_phrases", Kind::BannedPhrases),
];

impl Kind {
    /// The kind of a name without `not_`, with dashes or underscores.
    pub fn named(name: &str) -> Option<Self> {
        let is = |ours: &str| ours.bytes().eq(name.bytes().map(|byte| if byte == b'-' { b'_' } else { byte }));
        NAMES.iter().find(|(ours, _)| is(ours)).map(|(_, kind)| *kind)
    }

    /// Keys that a mapping may give its value under, besides `value`.
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::IsJson | Self::JsonSchema | Self::ContainsJson => &["schema"],
            Self::IsXml | Self::ContainsXml => &["required_elements", "requiredElements"],
            Self::IsSql | Self::ContainsSql => &["database_type", "databaseType", "allowed_tables", "allowedTables"],
            Self::WordCount => &["min", "max"],
            Self::Levenshtein | Self::Cost | Self::Latency => &["max"],
            Self::SensitiveData => &["allow"],
            _ => &[],
        }
    }

    /// Whether there is something to check without a value.
    pub const fn needs_no_value(self) -> bool {
        matches!(
            self,
            Self::IsJson
                | Self::ContainsJson
                | Self::IsXml
                | Self::ContainsXml
                | Self::IsHtml
                | Self::ContainsHtml
                | Self::IsSql
                | Self::ContainsSql
                | Self::IsRefusal
                | Self::FunctionCall
                | Self::ToolCalls
                | Self::SensitiveData
        )
    }

    /// Whether the case's `expected` stands in where there is no value.
    pub const fn falls_back_on_expected(self) -> bool {
        matches!(
            self,
            Self::Equals
                | Self::Levenshtein
                | Self::Bleu
                | Self::Gleu
                | Self::RougeN
                | Self::Meteor
                | Self::LexicalSimilarity
        )
    }

    /// Whether its threshold is the largest value that passes and not a score.
    pub const fn has_limit(self) -> bool {
        matches!(self, Self::Cost | Self::Latency)
    }
}

/// A name without its `not-` or `not_`, and whether it had one.
pub(super) fn without_not(name: &str) -> (&str, bool) {
    match name.strip_prefix("not-").or_else(|| name.strip_prefix("not_")) {
        Some(rest) => (rest, true),
        None => (name, false),
    }
}
