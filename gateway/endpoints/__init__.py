"""What a URL names: each handler says who may call, takes what is asked, and answers.

Owns the members of answers. Handlers never import one another, and never catch: what goes wrong is raised below.
A handler's docstring is read by callers: the API's description takes it over, but for what is raised.
"""
