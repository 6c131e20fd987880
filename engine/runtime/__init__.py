"""The only place that speaks SpiffWorkflow: a diagram becomes task specs, a case becomes a small tree of tasks.

SpiffWorkflow gives the task, its states and their order, the tree and the spec that is asked at each change. Its BPMN
layer on top is not used: it counts arrivals of earlier rounds at joins, keeps finished history in the tree, copies data
along branches and evaluates text. Here a task *is* a token: it is a child of the scope it runs in (the process, a
subprocess, a called process, an instance of a multi-instance activity), and when it completes it is removed and the
scope receives the tokens that follow. So the tree holds only what is alive, a step costs the same on the ten-thousandth
round as on the first, and a join counts exactly one token per incoming flow.

An event that waits beside the tokens is a child too, but no token: on the border of an activity a child of its task, at
the start of an event subprocess a child of the scope that the subprocess lies in. What is thrown inside a case happens
at once (``throwing``): errors and escalations look outwards from task to parent, signals and messages through the tree.
"""
