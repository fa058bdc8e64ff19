"""Airflow's exceptions, by Airflow's names and with its inheritance."""


class AirflowException(Exception):
    """The base of what Airflow raises."""

    status_code = 500


class AirflowBadRequest(AirflowException):
    status_code = 400


class AirflowNotFoundException(AirflowException):
    status_code = 404


class AirflowConfigException(AirflowException):
    pass


class AirflowSensorTimeout(AirflowException):
    pass


class AirflowTaskTimeout(BaseException):
    pass


class AirflowTaskTerminated(BaseException):
    pass


class AirflowSkipException(AirflowException):
    """The task is skipped."""


class AirflowFailException(AirflowException):
    """The task has failed, and another try would not help."""


class AirflowRescheduleException(AirflowException):
    def __init__(self, reschedule_date):
        super().__init__()
        self.reschedule_date = reschedule_date


class AirflowOptionalProviderFeatureException(AirflowException):
    pass


class AirflowInternalRuntimeError(BaseException):
    pass


class AirflowRuntimeError(Exception):
    pass


class AirflowTimetableInvalid(AirflowException):
    pass


class AirflowDagCycleException(AirflowException):
    pass


class AirflowDagInconsistent(AirflowException):
    pass


class AirflowDagDuplicatedIdException(AirflowException):
    pass


class AirflowClusterPolicyViolation(AirflowException):
    pass


class DagNotFound(AirflowNotFoundException):
    pass


class DagCodeNotFound(AirflowNotFoundException):
    pass


class DagRunNotFound(AirflowNotFoundException):
    pass


class DagRunAlreadyExists(AirflowBadRequest):
    pass


class DuplicateTaskIdFound(AirflowException):
    pass


class TaskAlreadyInTaskGroup(AirflowException):
    pass


class TaskNotFound(AirflowNotFoundException):
    pass


class TaskInstanceNotFound(AirflowNotFoundException):
    pass


class PoolNotFound(AirflowNotFoundException):
    pass


class ParamValidationError(AirflowException):
    pass


class XComNotFound(AirflowException):
    pass


class XComForMappingNotPushed(AirflowException):
    pass


class RemovedInAirflow3Warning(DeprecationWarning):
    pass


class RemovedInAirflow4Warning(DeprecationWarning):
    pass


class AirflowProviderDeprecationWarning(DeprecationWarning):
    pass


class NotInTidemill(ModuleNotFoundError):
    """A name of Airflow's that this package does not have."""
