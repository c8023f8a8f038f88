"""What is told of data sets, subject by subject: columns, pages, ages, groups, purpose."""
