//! The functions that SQL may call: DataFusion's where Flink has one of the same name and meaning,
//! our own where the meaning differs. A function that Flink has not is not here either, so that a
//! pipeline's text runs on a Flink cluster too.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, StringBuilder, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::functions_aggregate::{average, count, min_max, sum};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility, lit, when,
};
use tidemill_runtime::Clock;

use crate::time::{Civil, Pattern};

/// DataFusion's functions with Flink's name and meaning.
const SHARED: [&str; 49] = [
    "abs",
    "acos",
    "ascii",
    "asin",
    "atan",
    "atan2",
    "btrim",
    "ceil",
    "character_length",
    "chr",
    "coalesce",
    "concat_ws",
    "cos",
    "cosh",
    "cot",
    "date_part",
    "degrees",
    "ends_with",
    "exp",
    "floor",
    "get_field",
    "greatest",
    "initcap",
    "least",
    "left",
    "ln",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "nullif",
    "nvl",
    "overlay",
    "pi",
    "power",
    "radians",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "signum",
    "sin",
    "sqrt",
    "strpos",
    "substr",
];
const SHARED_TOO: [&str; 9] =
    ["sinh", "starts_with", "tan", "tanh", "trim", "trunc", "upper", "uuid", "named_struct"];

/// Flink's name where it differs from DataFusion's.
const RENAMED: [(&str, &str); 12] = [
    ("ceiling", "ceil"),
    ("char_length", "character_length"),
    ("endswith", "ends_with"),
    ("ifnull", "nvl"),
    ("instr", "strpos"),
    ("position", "strpos"),
    ("sign", "signum"),
    ("startswith", "starts_with"),
    ("substring", "substr"),
    ("trim", "btrim"),
    ("truncate", "trunc"),
    ("pow", "power"),
];

/// Every function by its name in lower case.
#[derive(Debug, Clone)]
pub struct Functions {
    scalars: HashMap<String, Arc<ScalarUDF>>,
    aggregates: HashMap<&'static str, Arc<AggregateUDF>>,
}

impl Functions {
    /// `clock` answers `CURRENT_TIMESTAMP`.
    pub fn new(clock: &Arc<dyn Clock>) -> Functions {
        let mut scalars: HashMap<String, Arc<ScalarUDF>> = HashMap::new();
        for function in datafusion::functions::all_default_functions() {
            let name = function.name().to_owned();
            if SHARED.contains(&name.as_str()) || SHARED_TOO.contains(&name.as_str()) {
                scalars.insert(name, function);
            }
        }
        for (name, shared) in RENAMED {
            if let Some(function) = scalars.get(shared).cloned() {
                scalars.insert(name.to_owned(), function);
            }
        }
        let cardinality = datafusion::functions_nested::cardinality::cardinality_udf();
        scalars.insert("cardinality".to_owned(), cardinality);
        for kind in Kind::ALL {
            let own = Own { kind, signature: kind.signature(), clock: Arc::clone(clock) };
            scalars.insert(kind.name().to_owned(), Arc::new(ScalarUDF::from(own)));
        }
        let aggregates = HashMap::from([
            ("count", count::count_udaf()),
            ("sum", sum::sum_udaf()),
            ("min", min_max::min_udaf()),
            ("max", min_max::max_udaf()),
            ("avg", average::avg_udaf()),
        ]);
        Functions { scalars, aggregates }
    }

    pub(super) fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(&name.to_ascii_lowercase()).cloned()
    }

    pub(super) fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(name.to_ascii_lowercase().as_str()).cloned()
    }

    pub(super) fn scalar_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.scalars.keys().cloned().collect();
        names.sort();
        names
    }

    pub(super) fn aggregate_names(&self) -> Vec<String> {
        self.aggregates.keys().map(|name| (*name).to_owned()).collect()
    }
}

/// Functions of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Concat,
    CurrentTimestamp,
    DateFormat,
    FromUnixtime,
    If,
    LocalTimestamp,
    Now,
    RegexpReplace,
    SplitIndex,
    ToTimestamp,
    ToTimestampLtz,
    UnixTimestamp,
}

impl Kind {
    const ALL: [Kind; 12] = [
        Kind::Concat,
        Kind::CurrentTimestamp,
        Kind::DateFormat,
        Kind::FromUnixtime,
        Kind::If,
        Kind::LocalTimestamp,
        Kind::Now,
        Kind::RegexpReplace,
        Kind::SplitIndex,
        Kind::ToTimestamp,
        Kind::ToTimestampLtz,
        Kind::UnixTimestamp,
    ];

    fn name(self) -> &'static str {
        match self {
            Kind::Concat => "concat",
            Kind::CurrentTimestamp => "current_timestamp",
            Kind::DateFormat => "date_format",
            Kind::FromUnixtime => "from_unixtime",
            Kind::If => "if",
            Kind::LocalTimestamp => "localtimestamp",
            Kind::Now => "now",
            Kind::RegexpReplace => "regexp_replace",
            Kind::SplitIndex => "split_index",
            Kind::ToTimestamp => "to_timestamp",
            Kind::ToTimestampLtz => "to_timestamp_ltz",
            Kind::UnixTimestamp => "unix_timestamp",
        }
    }

    fn signature(self) -> Signature {
        use DataType::{Int32, Int64, Utf8};
        let exact = |forms: Vec<Vec<DataType>>| {
            let forms = forms.into_iter().map(TypeSignature::Exact).collect();
            Signature::one_of(forms, Volatility::Immutable)
        };
        let timestamp = || DataType::Timestamp(TimeUnit::Millisecond, None);
        match self {
            Kind::Concat => Signature::variadic(vec![Utf8], Volatility::Immutable),
            Kind::CurrentTimestamp | Kind::LocalTimestamp | Kind::Now => {
                Signature::nullary(Volatility::Volatile)
            }
            Kind::DateFormat => exact(vec![vec![timestamp(), Utf8], vec![Utf8, Utf8]]),
            Kind::FromUnixtime => exact(vec![vec![Int64], vec![Int64, Utf8]]),
            Kind::If => Signature::any(3, Volatility::Immutable),
            Kind::RegexpReplace => exact(vec![vec![Utf8, Utf8, Utf8]]),
            Kind::SplitIndex => exact(vec![vec![Utf8, Utf8, Int64]]),
            Kind::ToTimestamp => exact(vec![vec![Utf8], vec![Utf8, Utf8]]),
            Kind::ToTimestampLtz => exact(vec![vec![Int64, Int32], vec![Int64, Int64]]),
            Kind::UnixTimestamp => {
                let forms =
                    vec![TypeSignature::Exact(vec![Utf8]), TypeSignature::Exact(vec![Utf8, Utf8])];
                Signature::one_of(forms, Volatility::Immutable)
            }
        }
    }

    fn return_type(self, arguments: &[DataType]) -> DataType {
        match self {
            Kind::Concat
            | Kind::DateFormat
            | Kind::FromUnixtime
            | Kind::RegexpReplace
            | Kind::SplitIndex => DataType::Utf8,
            Kind::CurrentTimestamp | Kind::Now | Kind::ToTimestampLtz => {
                DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
            }
            Kind::LocalTimestamp | Kind::ToTimestamp => {
                DataType::Timestamp(TimeUnit::Millisecond, None)
            }
            Kind::If => arguments.get(1).cloned().unwrap_or(DataType::Null),
            Kind::UnixTimestamp => DataType::Int64,
        }
    }
}

/// What Flink assumes when no pattern is given.
const DEFAULT_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

struct Own {
    kind: Kind,
    signature: Signature,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Own) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Own {}

impl Hash for Own {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for Own {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(self.kind.return_type(arguments))
    }

    /// `IF` is a `CASE`, and DataFusion's `regexp_replace` replaces all only with a flag.
    fn simplify(&self, mut args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let simpler = match self.kind {
            Kind::If if args.len() == 3 => {
                let otherwise = args.remove(2);
                when(args.remove(0), args.remove(0)).otherwise(otherwise)?
            }
            Kind::RegexpReplace => {
                args.push(lit("g"));
                datafusion::functions::regex::regexp_replace().call(args)
            }
            _ => return Ok(ExprSimplifyResult::Original(args)),
        };
        Ok(ExprSimplifyResult::Simplified(simpler))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        if let Kind::CurrentTimestamp | Kind::LocalTimestamp | Kind::Now = self.kind {
            let now = ScalarValue::TimestampMillisecond(Some(self.clock.now_ms()), None);
            return Ok(ColumnarValue::Scalar(now.cast_to(args.return_field.data_type())?));
        }
        let arrays =
            args.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let result: ArrayRef = match self.kind {
            Kind::Concat => concat(&arrays, rows),
            Kind::DateFormat => date_format(&arrays)?,
            Kind::FromUnixtime => from_unixtime(&arrays)?,
            Kind::SplitIndex => split_index(&arrays),
            Kind::ToTimestamp => {
                let millis = read_times(&arrays)?;
                Arc::new(TimestampMillisecondArray::from(millis))
            }
            Kind::ToTimestampLtz => to_timestamp_ltz(&arrays)?,
            Kind::UnixTimestamp => {
                let millis = read_times(&arrays)?.into_iter();
                let seconds = millis.map(|millis| millis.map(|millis| millis.div_euclid(1000)));
                Arc::new(seconds.collect::<Int64Array>())
            }
            Kind::CurrentTimestamp
            | Kind::LocalTimestamp
            | Kind::Now
            | Kind::If
            | Kind::RegexpReplace => {
                return exec_err!("{} is replaced before it is computed", self.kind.name());
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}

/// NULL if any part is, unlike DataFusion's.
fn concat(parts: &[ArrayRef], rows: usize) -> ArrayRef {
    let parts: Vec<_> = parts.iter().map(|part| part.as_string::<i32>()).collect();
    let mut builder = StringBuilder::new();
    let mut text = String::new();
    for row in 0..rows {
        if parts.iter().any(|part| part.is_null(row)) {
            builder.append_null();
            continue;
        }
        text.clear();
        parts.iter().for_each(|part| text.push_str(part.value(row)));
        builder.append_value(&text);
    }
    Arc::new(builder.finish())
}

/// Patterns of one column are nearly always one literal: the last one is kept.
#[derive(Default)]
struct LastPattern(Option<(String, Pattern)>);

impl LastPattern {
    fn get(&mut self, text: &str) -> Result<&Pattern> {
        if self.0.as_ref().is_none_or(|(known, _)| known != text) {
            let pattern = match Pattern::parse(text) {
                Ok(pattern) => pattern,
                Err(problem) => return plan_err!("{problem}"),
            };
            self.0 = Some((text.to_owned(), pattern));
        }
        Ok(&self.0.as_ref().expect("was just set").1)
    }
}

/// The pattern of a row: the argument, or Flink's default. None if the argument is NULL.
fn pattern_of(arrays: &[ArrayRef], row: usize) -> Option<&str> {
    match arrays.get(1) {
        None => Some(DEFAULT_PATTERN),
        Some(patterns) => {
            let patterns = patterns.as_string::<i32>();
            patterns.is_valid(row).then(|| patterns.value(row))
        }
    }
}

/// Texts to milliseconds; NULL where the text does not match, as in Flink.
fn read_times(arrays: &[ArrayRef]) -> Result<Vec<Option<i64>>> {
    let texts = arrays[0].as_string::<i32>();
    let mut last = LastPattern::default();
    (0..texts.len())
        .map(|row| {
            let Some(pattern) = pattern_of(arrays, row) else { return Ok(None) };
            let pattern = last.get(pattern)?;
            let text = texts.is_valid(row).then(|| texts.value(row));
            Ok(text.and_then(|text| pattern.read(text)).and_then(|at| at.millis()))
        })
        .collect()
}

fn date_format(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let millis: Vec<Option<i64>> = match arrays[0].data_type() {
        DataType::Utf8 => read_times(&arrays[..1])?,
        _ => arrays[0].as_primitive::<TimestampMillisecondType>().iter().collect(),
    };
    write_times(&millis, arrays)
}

fn from_unixtime(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let seconds = arrays[0].as_primitive::<Int64Type>().iter();
    let millis: Vec<_> =
        seconds.map(|seconds| seconds.and_then(|seconds| seconds.checked_mul(1000))).collect();
    write_times(&millis, arrays)
}

fn write_times(millis: &[Option<i64>], arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (mut builder, mut last) = (StringBuilder::new(), LastPattern::default());
    for (row, millis) in millis.iter().enumerate() {
        match (millis, pattern_of(arrays, row)) {
            (Some(millis), Some(pattern)) => {
                builder.append_value(last.get(pattern)?.write(&Civil::from_millis(*millis)));
            }
            _ => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn to_timestamp_ltz(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let numbers = arrays[0].as_primitive::<Int64Type>();
    let digits = arrow::compute::cast(&arrays[1], &DataType::Int64)?;
    let digits = digits.as_primitive::<Int64Type>();
    let millis = (0..numbers.len())
        .map(|row| {
            if numbers.is_null(row) || digits.is_null(row) {
                return Ok(None);
            }
            match digits.value(row) {
                0 => Ok(numbers.value(row).checked_mul(1000)),
                3 => Ok(Some(numbers.value(row))),
                other => plan_err!(
                    "The precision value '{other}' for function TO_TIMESTAMP_LTZ(numeric, precision) \
                     is unsupported, the supported value is '0' for second or '3' for millisecond."
                ),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(TimestampMillisecondArray::from(millis).with_timezone("UTC")))
}

fn split_index(arrays: &[ArrayRef]) -> ArrayRef {
    let (texts, separators) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
    let indexes = arrays[2].as_primitive::<Int64Type>();
    let mut builder = StringBuilder::new();
    for row in 0..texts.len() {
        let given = texts.is_valid(row) && separators.is_valid(row) && indexes.is_valid(row);
        let part =
            given.then(|| usize::try_from(indexes.value(row)).ok()).flatten().and_then(|index| {
                match separators.value(row) {
                    "" => (index == 0).then(|| texts.value(row)),
                    separator => texts.value(row).split(separator).nth(index),
                }
            });
        builder.append_option(part);
    }
    Arc::new(builder.finish())
}
