"""Many instances by many methods, and what to say about them.

`sweep` runs and resumes, `tables` and `figures` summarise, `explanation` says why there is no plan or what binds,
`layout` places a pipeline's modules for the drawings of `plan_figure` and of the command line.
"""
