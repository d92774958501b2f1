"""One HTML file that says what a run did, for people who were not there: `facts` in, `page` out."""
