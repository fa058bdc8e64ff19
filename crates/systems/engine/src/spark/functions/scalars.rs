//! Functions that are DataFusion's under the same or another name.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, cast, lit};

use super::{Call, Result, SparkError, literal_number, stock};

/// Spark's name, DataFusion's name, the type of all arguments if they are cast.
const NAMES: [(&str, &str); 90] = [
    ("abs", "abs"),
    ("acos", "acos"),
    ("array", "make_array"),
    ("array_contains", "array_has"),
    ("array_distinct", "array_distinct"),
    ("array_except", "array_except"),
    ("array_intersect", "array_intersect"),
    ("array_join", "array_to_string"),
    ("array_max", "array_max"),
    ("array_min", "array_min"),
    ("array_position", "array_position"),
    ("array_remove", "array_remove_all"),
    ("array_repeat", "array_repeat"),
    ("array_union", "array_union"),
    ("ascii", "ascii"),
    ("asin", "asin"),
    ("atan", "atan"),
    ("atan2", "atan2"),
    ("btrim", "btrim"),
    ("cbrt", "cbrt"),
    ("char", "chr"),
    ("char_length", "character_length"),
    ("character_length", "character_length"),
    ("chr", "chr"),
    ("coalesce", "coalesce"),
    ("concat_ws", "concat_ws"),
    ("contains", "contains"),
    ("cos", "cos"),
    ("cosh", "cosh"),
    ("cot", "cot"),
    ("degrees", "degrees"),
    ("endswith", "ends_with"),
    ("exp", "exp"),
    ("factorial", "factorial"),
    ("find_in_set", "find_in_set"),
    ("flatten", "flatten"),
    ("greatest", "greatest"),
    ("hex", "to_hex"),
    ("ifnull", "nvl"),
    ("initcap", "initcap"),
    ("instr", "strpos"),
    ("isnan", "isnan"),
    ("lcase", "lower"),
    ("least", "least"),
    ("left", "left"),
    ("len", "character_length"),
    ("length", "character_length"),
    ("levenshtein", "levenshtein"),
    ("ln", "ln"),
    ("log10", "log10"),
    ("log2", "log2"),
    ("lower", "lower"),
    ("lpad", "lpad"),
    ("ltrim", "ltrim"),
    ("map_keys", "map_keys"),
    ("map_values", "map_values"),
    ("named_struct", "named_struct"),
    ("nanvl", "nanvl"),
    ("nullif", "nullif"),
    ("nvl", "nvl"),
    ("nvl2", "nvl2"),
    ("octet_length", "octet_length"),
    ("overlay", "overlay"),
    ("pi", "pi"),
    ("power", "power"),
    ("radians", "radians"),
    ("repeat", "repeat"),
    ("replace", "replace"),
    ("reverse", "reverse"),
    ("right", "right"),
    ("rpad", "rpad"),
    ("rtrim", "rtrim"),
    ("sequence", "generate_series"),
    ("sign", "signum"),
    ("signum", "signum"),
    ("sin", "sin"),
    ("sinh", "sinh"),
    ("slice", "array_slice"),
    ("sort_array", "array_sort"),
    ("sqrt", "sqrt"),
    ("startswith", "starts_with"),
    ("substring_index", "substr_index"),
    ("tan", "tan"),
    ("tanh", "tanh"),
    ("translate", "translate"),
    ("trim", "btrim"),
    ("ucase", "upper"),
    ("upper", "upper"),
    ("uuid", "uuid"),
    ("version", "version"),
];

/// Functions of texts: other values are written first, as Spark does.
const OF_TEXT: [&str; 22] = [
    "ascii",
    "btrim",
    "char_length",
    "contains",
    "endswith",
    "initcap",
    "instr",
    "lcase",
    "length",
    "levenshtein",
    "lower",
    "lpad",
    "ltrim",
    "replace",
    "reverse",
    "rpad",
    "rtrim",
    "startswith",
    "translate",
    "trim",
    "ucase",
    "upper",
];

/// Functions of real numbers.
const OF_REALS: [&str; 22] = [
    "acos", "asin", "atan", "atan2", "cbrt", "cos", "cosh", "cot", "degrees", "exp", "isnan", "ln",
    "log10", "log2", "nanvl", "power", "radians", "sin", "sinh", "sqrt", "tan", "tanh",
];

pub(super) fn call(call: &Call<'_>, mut args: Vec<Expr>) -> Result<Option<Expr>> {
    let name = match call.name {
        "pow" => "power",
        other => other,
    };
    match name {
        "ceil" | "ceiling" | "floor" if args.len() == 1 => {
            let value = args.remove(0);
            let stock_name = if name == "floor" { "floor" } else { "ceil" };
            if call.type_of(&value)?.is_integer() {
                return Ok(Some(cast(value, DataType::Int64)));
            }
            let value = call.cast(value, &DataType::Float64)?;
            return Ok(Some(cast(stock(stock_name, vec![value])?, DataType::Int64)));
        }
        "round" | "bround" => return Ok(Some(round(call, args)?)),
        "log" => {
            let value = args.iter().map(|one| call.cast(one.clone(), &DataType::Float64));
            let args = value.collect::<Result<Vec<_>>>()?;
            let name = if args.len() == 1 { "ln" } else { "log" };
            return Ok(Some(stock(name, args)?));
        }
        "size" | "cardinality" | "array_size" => {
            let [list] = call.exactly(args)?;
            let count = match call.type_of(&list)? {
                DataType::Map(..) => stock("cardinality", vec![list])?,
                _ => stock("array_length", vec![list.clone()])?,
            };
            return Ok(Some(cast(stock("coalesce", vec![count, lit(0_u64)])?, DataType::Int32)));
        }
        "element_at" | "try_element_at" | "get" => {
            let [of, key] = call.exactly(args)?;
            return Ok(Some(match (call.type_of(&of)?, name) {
                (DataType::Map(..), _) => super::element_of(of, key)?,
                (_, "get") => super::item_of(of, key),
                _ => stock("array_element", vec![of, cast(key, DataType::Int64)])?,
            }));
        }
        "rand" | "random" => return Ok(Some(super::random())),
        "md5" | "sha1" | "sha2" | "crc32" | "xxhash64" | "hash" => {
            return Err(SparkError::unsupported(format!("function {name}")));
        }
        _ => {}
    }
    let Some((_, stock_name)) = NAMES.iter().find(|(known, _)| *known == name) else {
        return Ok(None);
    };
    let target = match name {
        _ if OF_REALS.contains(&name) => Some(DataType::Float64),
        _ => None,
    };
    if let Some(target) = target {
        args = args.into_iter().map(|one| call.cast(one, &target)).collect::<Result<Vec<_>>>()?;
    } else if OF_TEXT.contains(&name)
        && let Some(first) = args.first_mut()
        && !matches!(call.type_of(first)?, DataType::List(_))
    {
        *first = call.cast(first.clone(), &DataType::Utf8)?;
    }
    if name == "concat_ws" {
        args = args
            .into_iter()
            .map(|one| call.cast(one, &DataType::Utf8))
            .collect::<Result<Vec<_>>>()?;
    }
    let made = stock(stock_name, args)?;
    let whole = [
        "length",
        "char_length",
        "character_length",
        "len",
        "instr",
        "octet_length",
        "ascii",
        "levenshtein",
    ];
    Ok(Some(if whole.contains(&name) { cast(made, DataType::Int32) } else { made }))
}

/// `round(2.5)` is 3; a whole number stays whole.
fn round(call: &Call<'_>, args: Vec<Expr>) -> Result<Expr> {
    let (value, scale) = match args.as_slice() {
        [value] => (value.clone(), 0),
        [value, scale] => (value.clone(), literal_number(scale).unwrap_or(0)),
        _ => return Err(SparkError::wrong_argument_count("round", "[1, 2]", args.len())),
    };
    let data_type = call.type_of(&value)?;
    if data_type.is_integer() && scale >= 0 {
        return Ok(value);
    }
    match data_type {
        DataType::Decimal128(..) => stock("round", vec![value, lit(scale as i32)]),
        _ => {
            let value = call.cast(value, &DataType::Float64)?;
            stock("round", vec![value, lit(scale as i32)])
        }
    }
}
