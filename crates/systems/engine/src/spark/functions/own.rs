//! Functions of our own: a name, what makes two of them the same, and the work.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast,
};

/// Arrays of one length, and that length, to an array of it.
pub(super) type Work = Arc<dyn Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync>;

struct Own {
    name: &'static str,
    /// What beside the arguments decides the result.
    parameters: String,
    returns: DataType,
    work: Work,
    signature: Signature,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Own) -> bool {
        self.name == other.name
            && self.parameters == other.parameters
            && self.returns == other.returns
    }
}

impl Eq for Own {}

impl Hash for Own {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, &self.parameters, &self.returns).hash(state);
    }
}

impl ScalarUDFImpl for Own {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = args.args.iter().map(|one| one.to_array(rows)).collect::<Result<Vec<_>>>()?;
        Ok(ColumnarValue::Array((self.work)(&arrays, rows)?))
    }
}

/// A call. `parameters`: everything that the work knows beside its arguments; the arguments have
/// the types the work expects.
pub(super) fn own(
    name: &'static str,
    parameters: impl Into<String>,
    returns: DataType,
    args: Vec<Expr>,
    work: impl Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Expr {
    let signature = match args.len() {
        0 => Signature::nullary(Volatility::Volatile),
        count => Signature::any(count, Volatility::Immutable),
    };
    let parameters = parameters.into();
    let own = Own { name, parameters, returns, work: Arc::new(work), signature };
    ScalarUDF::from(own).call(args)
}

/// What beside its arguments decides the result of one of ours; none for other functions.
pub(super) fn parameters(function: &ScalarUDF) -> Option<&str> {
    function.inner().downcast_ref::<Own>().map(|own| own.parameters.as_str())
}

/// A whole number from a whole number.
pub(super) fn one_i64(name: &'static str, arg: Expr, unit: i64, work: fn(i64, i64) -> i64) -> Expr {
    let arg = cast(arg, DataType::Int64);
    own(name, unit.to_string(), DataType::Int64, vec![arg], move |arrays, _| {
        let numbers = arrays[0].as_primitive::<Int64Type>();
        let results: Int64Array =
            numbers.iter().map(|number| number.map(|number| work(number, unit))).collect();
        Ok(Arc::new(results))
    })
}
