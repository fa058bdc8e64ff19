"""Which module of Airflow has which names, and where each is made.

A line is: modules, a colon, names. `name=attribute` is a name that is called otherwise at home; the
home is the module of `_tidemill` at the end of the line, after `@`.
"""

_TABLE = """
airflow airflow.sdk : DAG dag @ dag
airflow airflow.sdk : XComArg @ xcom_arg
airflow : Dataset @ models
airflow.sdk : Asset AssetAlias=Asset Connection Variable BaseHook BaseNotifier @ models
airflow.sdk : BaseOperator BaseOperatorLink Label chain chain_linear cross_downstream @ operator
airflow.sdk : BaseSensorOperator PokeReturnValue @ sensors
airflow.sdk : TaskGroup task_group @ group
airflow.sdk : task setup teardown @ decorators
airflow.sdk : Param ParamsDict @ params
airflow.sdk : get_current_context Context @ context
airflow.sdk : TriggerRule WeightRule TaskInstanceState DagRunState @ enums
airflow.sdk : timezone= @ dates
airflow.sdk : CronDataIntervalTimetable DeltaDataIntervalTimetable @ timetables
airflow.sdk.exceptions airflow.exceptions : * @ exceptions
airflow.sdk.bases.operator airflow.sdk.bases : BaseOperator chain chain_linear cross_downstream @ operator
airflow.sdk.bases.sensor : BaseSensorOperator PokeReturnValue @ sensors
airflow.sdk.bases.hook airflow.sdk.bases.notifier : BaseHook BaseNotifier @ models
airflow.sdk.definitions : @ dag
airflow.sdk.definitions.dag : DAG dag @ dag
airflow.sdk.definitions.context airflow.utils.context : Context get_current_context @ context
airflow.sdk.definitions.param : Param ParamsDict @ params
airflow.sdk.definitions.taskgroup : TaskGroup @ group
airflow.sdk.definitions.asset : Asset Dataset @ models
airflow.sdk.types airflow.sdk.execution_time : RuntimeTaskInstanceProtocol=TaskInstance @ context

airflow.models : DAG @ dag
airflow.models : BaseOperator @ operator
airflow.models : Variable Connection @ models
airflow.models : XCom @ context:TaskInstance
airflow.models : TaskInstance DagRun @ context
airflow.models : Param @ params
airflow.models : DagContext @ dag
airflow.models.dag : DAG dag DagContext @ dag
airflow.models.dag : get_current_dag @ dag
airflow.models.baseoperator : BaseOperator BaseOperatorLink chain chain_linear cross_downstream @ operator
airflow.models.variable : Variable @ models
airflow.models.connection : Connection @ models
airflow.models.taskinstance : TaskInstance get_current_context @ context
airflow.models.dagrun : DagRun @ context
airflow.models.dagrun : DagRunType @ enums
airflow.models.param : Param ParamsDict @ params
airflow.models.xcom : XCOM_RETURN_KEY=RETURN_VALUE @ xcom_arg
airflow.models.xcom : XCom @ context:TaskInstance
airflow.models.xcom_arg : XComArg @ xcom_arg
airflow.models.taskmixin : DAGNode=BaseOperator DependencyMixin=BaseOperator @ operator
airflow.models.skipmixin : SkipMixin @ operators
airflow.models.dataset : DatasetModel=Dataset @ models

airflow.decorators : dag @ dag
airflow.decorators : task python_task setup teardown @ decorators
airflow.decorators : task_group @ group
airflow.decorators.base : get_unique_task_id=free_task_id @ decorators
airflow.decorators.task_group : task_group @ group

airflow.operators airflow.providers airflow.providers.standard airflow.providers.standard.operators : @ operators
airflow.providers.standard.sensors airflow.providers.standard.decorators : @ operators
airflow.providers.standard.utils airflow.utils airflow.sensors airflow.hooks airflow.timetables : @ operators
airflow.utils.log airflow.notifications : @ operators
airflow.operators.python : PythonOperator BranchPythonOperator ShortCircuitOperator @ operators
airflow.operators.python_operator : PythonOperator BranchPythonOperator ShortCircuitOperator @ operators
airflow.providers.standard.operators.python : PythonOperator BranchPythonOperator ShortCircuitOperator @ operators
airflow.operators.python airflow.providers.standard.operators.python : get_current_context @ context
airflow.operators.bash airflow.operators.bash_operator : BashOperator @ operators
airflow.providers.standard.operators.bash : BashOperator @ operators
airflow.operators.empty airflow.providers.standard.operators.empty : EmptyOperator @ operators
airflow.operators.dummy airflow.operators.dummy_operator : DummyOperator EmptyOperator @ operators
airflow.operators.branch airflow.operators.branch_operator : BaseBranchOperator @ operators
airflow.providers.standard.operators.branch : BaseBranchOperator @ operators
airflow.operators.latest_only airflow.operators.latest_only_operator : LatestOnlyOperator @ operators
airflow.providers.standard.operators.latest_only : LatestOnlyOperator @ operators
airflow.operators.trigger_dagrun airflow.operators.dagrun_operator : TriggerDagRunOperator @ operators
airflow.providers.standard.operators.trigger_dagrun : TriggerDagRunOperator @ operators

airflow.sensors.base : BaseSensorOperator PokeReturnValue poke_mode_only @ sensors
airflow.sensors.base_sensor_operator : BaseSensorOperator PokeReturnValue poke_mode_only @ sensors
airflow.sensors.python airflow.providers.standard.sensors.python : PythonSensor @ sensors
airflow.sensors.bash airflow.providers.standard.sensors.bash : BashSensor @ sensors
airflow.sensors.filesystem airflow.providers.standard.sensors.filesystem : FileSensor @ sensors
airflow.sensors.time_delta airflow.providers.standard.sensors.time_delta : TimeDeltaSensor @ sensors
airflow.sensors.time_sensor airflow.providers.standard.sensors.time : TimeSensor @ sensors
airflow.sensors.date_time airflow.sensors.date_time_sensor : DateTimeSensor @ sensors
airflow.providers.standard.sensors.date_time : DateTimeSensor @ sensors
airflow.sensors.external_task airflow.sensors.external_task_sensor : ExternalTaskSensor @ sensors
airflow.providers.standard.sensors.external_task : ExternalTaskSensor @ sensors

airflow.hooks.base airflow.hooks.base_hook : BaseHook @ models
airflow.notifications.basenotifier : BaseNotifier @ models
airflow.configuration : conf @ models
airflow.datasets airflow.sdk.definitions.dataset : Dataset @ models
airflow.assets : Asset @ models
airflow.settings : TIMEZONE @ dates
airflow.macros : ds_add ds_format @ dates
airflow.timetables.base : Timetable @ timetables
airflow.timetables.interval : CronDataIntervalTimetable DeltaDataIntervalTimetable @ timetables
airflow.timetables.simple : NullTimetable OnceTimetable @ timetables

airflow.utils.dates : days_ago date_range round_time @ dates
airflow.utils.timezone airflow.sdk.timezone : * @ dates
airflow.utils.task_group : TaskGroup task_group @ group
airflow.utils.trigger_rule airflow.task.trigger_rule : TriggerRule @ enums
airflow.utils.weight_rule : WeightRule @ enums
airflow.task : @ enums
airflow.utils.state : State TaskInstanceState DagRunState @ enums
airflow.utils.types : DagRunType @ enums
airflow.utils.edgemodifier : Label @ operator
airflow.utils.helpers : chain cross_downstream @ operator
airflow.utils.decorators : apply_defaults @ compat
airflow.utils.session : provide_session create_session NEW_SESSION @ compat
airflow.utils.email : send_email @ compat
airflow.utils.log.logging_mixin : LoggingMixin @ models
airflow.utils.xcom : XCOM_RETURN_KEY=RETURN_VALUE @ xcom_arg
airflow.typing_compat : Literal TypedDict Protocol @ typing
airflow.version : version @ compat
"""

#: Homes whose names are all given out.
_WHOLE = {
    "exceptions": """AirflowException AirflowBadRequest AirflowNotFoundException AirflowConfigException
        AirflowSensorTimeout AirflowTaskTimeout AirflowTaskTerminated AirflowSkipException AirflowFailException
        AirflowRescheduleException AirflowOptionalProviderFeatureException AirflowInternalRuntimeError AirflowRuntimeError
        AirflowTimetableInvalid AirflowDagCycleException AirflowDagInconsistent AirflowDagDuplicatedIdException
        AirflowClusterPolicyViolation DagNotFound DagCodeNotFound DagRunNotFound DagRunAlreadyExists DuplicateTaskIdFound
        TaskAlreadyInTaskGroup TaskNotFound TaskInstanceNotFound PoolNotFound ParamValidationError XComNotFound
        XComForMappingNotPushed RemovedInAirflow3Warning RemovedInAirflow4Warning AirflowProviderDeprecationWarning""",
    "dates": """utc UTC TIMEZONE datetime now utcnow utc_epoch parse make_aware make_naive is_localized is_naive
        convert_to_utc coerce_datetime""",
}


def _read():
    modules = {"airflow": {}}
    for line in _TABLE.splitlines():
        if not line:
            continue
        names, _, home = line.partition("@")
        known, _, listed = names.partition(":")
        home, _, attribute = home.strip().partition(":")
        listed = _WHOLE[home] if listed.strip() == "*" else listed
        place = home if home == "typing" else f"_tidemill.{home}"
        for module in known.split():
            found = modules.setdefault(module, {})
            for name in listed.split():
                name, is_renamed, there = name.partition("=")
                there = there if is_renamed else attribute or name
                found[name] = f"{place}:{there}"
    return modules


MODULES = _read()
